"""Batches of samples of like length, so that a step computes little on padding."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["batches_of"]

_CHUNK: Final = 16  # batches that are made of one chunk; more of them pad less and mix less


def batches_of(
    lengths: NDArray[np.int64],
    size: int,
    random: np.random.Generator,
    questions: Sequence[int] | NDArray[np.int64] | None = None,
) -> list[NDArray[np.int64]]:
    """Split N samples into batches, in a random order, each sample in one batch.

    The samples are shuffled and cut into chunks of 16 batches. Within a chunk samples of like
    length go together. Then the batches of all chunks are shuffled. So each epoch puts other
    samples together, and no length comes first.

    Args:
        lengths: number of tokens of each sample, shape (N,).
        size: the most samples of a batch. A question of more samples is a batch by itself.
        random: where the order comes from.
        questions: number of the question of each sample, if the samples of a question must stay in
            one batch, in their order; None if they need not.

    Returns:
        For each batch the places of its samples.

    Example:
        >>> batches = batches_of(np.array([3, 9, 3, 9]), 2, np.random.default_rng(0))
        >>> sorted(sorted(batch.tolist()) for batch in batches)
        [[0, 2], [1, 3]]
    """
    if questions is not None and len(lengths):
        return _of_questions(lengths, size, random, np.asarray(questions))
    order = random.permutation(len(lengths))
    found: list[NDArray[np.int64]] = []
    for start in range(0, len(order), _CHUNK * size):
        chunk = order[start : start + _CHUNK * size]
        by_length = chunk[np.argsort(lengths[chunk], kind="stable")]
        found += np.split(by_length, range(size, len(by_length), size))
    return [found[place] for place in random.permutation(len(found))]


def _of_questions(
    lengths: NDArray[np.int64],
    size: int,
    random: np.random.Generator,
    questions: NDArray[np.int64],
) -> list[NDArray[np.int64]]:
    """The same with whole questions, each as long as its longest sample."""
    _, question = np.unique(questions, return_inverse=True)
    members = np.split(np.argsort(question, kind="stable"), np.cumsum(np.bincount(question))[:-1])
    longest = np.array([lengths[places].max() for places in members])
    order = random.permutation(len(members))
    found: list[NDArray[np.int64]] = []
    for start in range(0, len(order), _CHUNK * size):
        chunk = order[start : start + _CHUNK * size]
        open_batch: list[NDArray[np.int64]] = []
        held = 0
        for one in chunk[np.argsort(longest[chunk], kind="stable")]:
            if open_batch and held + len(members[one]) > size:
                found.append(np.concatenate(open_batch))
                open_batch, held = [], 0
            open_batch.append(members[one])
            held += len(members[one])
        if open_batch:
            found.append(np.concatenate(open_batch))
    return [found[place] for place in random.permutation(len(found))]
