"""Evidence by neighbours: how the samples nearest to a sample are labelled in the log."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mainstem.evidence.contract import Fixed, Known

__all__ = ["Neighbours", "nearest", "of_length_one"]

_BLOCK: Final = 1024  # samples that are compared at once; bounds the memory
_TINY: Final = np.float32(1e-30)  # stands for a length of 0


@dataclass(frozen=True)
class Neighbours:
    """Votes of the nearest samples, divided by how frequent each given label is.

    fit of class c = log((votes for c + 1) / (k * share of c among the given labels + 1)). A label
    that is frequent, rightly or wrongly, collects votes everywhere; the division takes that out.

    Attributes:
        count: number of neighbours k, by cosine of the representations, without the sample.
        among: largest number of samples that neighbours are looked for among; above it they are
            drawn at random, so that the cost grows with the samples and not with their square.
        seed: seed of that draw.

    Source:
        Zhu, Dong, Liu, Detecting Corrupted Labels Without Training a Model to Predict, ICML 2022,
        https://arxiv.org/abs/2110.06283, count votes; the division by the share of each label is
        what helps on human label noise.
    """

    count: int = 100
    among: int = 20_000
    seed: int = 0

    name = "neighbours"
    learns = False

    def read(self, known: Known) -> Fixed | None:
        """Read the columns; None if the one that is needed is not known."""
        if known.representation is None or len(known) < 2:
            return None
        samples, classes = len(known), known.classes
        looked_at = np.arange(samples)
        if samples > self.among:
            random = np.random.default_rng(self.seed)
            looked_at = np.sort(random.choice(samples, self.among, replace=False))
        count = min(self.count, len(looked_at) - 1)
        votes = np.zeros((samples, classes))
        for rows, near, _ in nearest(known.representation, looked_at, count):
            labels = known.label[near]
            for one in range(classes):
                votes[rows, one] = (labels == one).sum(axis=1)
        share = np.bincount(known.label, minlength=classes) / samples
        return Fixed(np.log((votes + 1) / (count * share + 1)))


def nearest(
    representation: NDArray[Any], among: NDArray[np.int64], count: int
) -> Iterator[tuple[slice, NDArray[np.int64], NDArray[np.float32]]]:
    """The nearest samples of each sample by cosine, in blocks.

    Args:
        representation: a vector for each of N samples, shape (N, D).
        among: rows that are looked at, shape (M,), sorted and distinct; a sample is never its own
            neighbour.
        count: number of neighbours, at most M - 1.

    Yields:
        The rows of a block; its neighbours' rows, shape (B, count), in no order; and their
        cosines, shape (B, count).
    """
    vectors = of_length_one(representation)
    others = vectors[among]
    place = np.full(len(vectors), -1)
    place[among] = np.arange(len(among))
    for start in range(0, len(vectors), _BLOCK):
        rows = slice(start, min(start + _BLOCK, len(vectors)))
        near = vectors[rows] @ others.T  # (B, M)
        itself = place[rows]
        found = np.flatnonzero(itself >= 0)
        near[found, itself[found]] = -np.inf
        places = np.argpartition(-near, count - 1, axis=1)[:, :count]
        yield rows, among[places], np.take_along_axis(near, places, axis=1)


def of_length_one(representation: NDArray[Any]) -> NDArray[np.float32]:
    """Vectors divided by their lengths, shape (N, D); a vector of zeros stays.

    Example:
        >>> of_length_one(np.array([[3.0, 4.0], [0.0, 0.0]]))
        array([[0.6, 0.8],
               [0. , 0. ]], dtype=float32)
    """
    vectors = representation.astype(np.float32)
    # subtle: the square of a huge number overflows, so the largest number becomes 1 first
    vectors /= np.maximum(np.abs(vectors).max(axis=1, keepdims=True, initial=0), _TINY)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), _TINY)
    return vectors
