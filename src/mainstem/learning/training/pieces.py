"""A batch in pieces: their gradients add up to that of the whole batch, in less memory.

A step still trains on `train_batch` samples, so that the statistics of training stay as they are:
a loss is divided by what the whole batch holds, never by what a piece holds. The pointwise losses
are divided by the samples of the batch. A listwise loss is the mean over the questions whose items
differ, so a question is never split, and each piece counts by its share of those questions.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["WHOLE", "Piece", "Shares", "pieces_of"]


class Shares(NamedTuple):
    """How much of a batch a piece of it is.

    Attributes:
        samples: share of the samples.
        questions: share of the questions whose items differ; 0 if the batch has none.
    """

    samples: float = 1.0
    questions: float = 1.0


WHOLE: Final = Shares()


class Piece(NamedTuple):
    """A piece of a batch.

    Attributes:
        places: places of its samples among all.
        shares: how much of the batch it is.
    """

    places: NDArray[np.int64]
    shares: Shares = WHOLE


def pieces_of(
    places: NDArray[np.int64],
    count: int,
    questions: NDArray[np.int64] | None = None,
    targets: NDArray[np.float64] | None = None,
) -> list[Piece]:
    """Split a batch of B samples into pieces of like size.

    Args:
        places: places of the samples, shape (B,).
        count: the most pieces.
        questions: number of the question of each sample, shape (B,), if questions may not be split;
            None if they may.
        targets: what the listwise loss compares of each sample, shape (B,); negative where it is
            unknown. It is only read beside `questions`.

    Example:
        >>> [piece.places.tolist() for piece in pieces_of(np.arange(5), 2)]
        [[0, 1, 2], [3, 4]]
        >>> questions = np.array([7, 7, 7, 8, 8])
        >>> targets = np.array([1.0, 0.0, 0.0, 0.0, 0.0])
        >>> [piece.shares for piece in pieces_of(np.arange(5), 2, questions, targets)]
        [Shares(samples=0.6, questions=1.0), Shares(samples=0.4, questions=0.0)]
    """
    if count == 1 or len(places) < 2:
        return [Piece(places)]
    if questions is None or targets is None:
        some = np.array_split(places, min(count, len(places)))
        return [Piece(one, Shares(len(one) / len(places))) for one in some]
    _, first, inverse = np.unique(questions, return_index=True, return_inverse=True)
    # a question that is already together stays where it is, so that like lengths stay together
    order = np.argsort(first[inverse], kind="stable")
    counts = _comparable(questions[order], targets[order])
    found = []
    for part in np.split(np.arange(len(places)), _cuts(questions[order], count)):
        shares = Shares(
            len(part) / len(places), int(counts[part].sum()) / max(int(counts.sum()), 1)
        )
        found.append(Piece(places[order[part]], shares))
    return found


def _cuts(questions: NDArray[np.int64], count: int) -> list[int]:
    """Where the batch is cut: at the beginnings of questions that are nearest to even cuts."""
    starts = np.flatnonzero(np.diff(questions)) + 1
    if not len(starts):
        return []
    even = np.arange(1, count) * len(questions) / count
    return sorted({int(starts[np.abs(starts - one).argmin()]) for one in even})


def _comparable(questions: NDArray[np.int64], targets: NDArray[np.float64]) -> NDArray[np.int64]:
    """1 at the first sample of each question that has two different known targets, else 0."""
    found = np.zeros(len(questions), np.int64)
    for question in np.unique(questions):
        own = np.flatnonzero(questions == question)
        known = targets[own][targets[own] >= 0]
        found[own[0]] = len(np.unique(known)) > 1
    return found
