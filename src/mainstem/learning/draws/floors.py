"""Floors: least inclusion probabilities, so that a draw empties no category and no query bucket."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["NONE", "query_buckets", "slice_floors"]

NONE: Final = -1  # code of a sample that is in no slice of a kind


def slice_floors(
    slices: Sequence[NDArray[np.int64]], floor: int, count: int, may: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Probability with which each sample must be drawn at least, shape (N,).

    A slice of M samples needs `floor` of them, or all if it has fewer. So each of its samples has a
    probability of floor / M at least. All floors together take at most half of the draw: with many
    slices and a small draw, a floor is lower than it was asked for.

    Args:
        slices: for each kind of slice the code of each sample's slice, shape (N,) each, `NONE`
            where the sample is in no slice of that kind.
        floor: number of samples that each slice needs.
        count: number of samples that are drawn.
        may: which samples count as members of their slices, shape (N,).

    Example:
        >>> category, everyone = np.array([0, 0, 0, 0, 1, NONE]), np.ones(6, bool)
        >>> slice_floors([category], 1, 4, everyone)
        array([0.25, 0.25, 0.25, 0.25, 1.  , 0.  ])
        >>> slice_floors([category], 2, 2, everyone)
        array([0., 0., 0., 0., 0., 0.])
    """
    sizes = [_sizes(codes, may) for codes in slices]
    number = sum(int((size > 0).sum()) for size in sizes)
    each = min(floor, count // (2 * number)) if number else 0
    least = np.zeros(len(may))
    for codes, size in zip(slices, sizes, strict=True):
        inside = may & (codes != NONE)
        share = np.minimum(1.0, each / np.maximum(size, 1))
        least[inside] = np.maximum(least[inside], share[codes[inside]])
    return least


def query_buckets(queries: NDArray[np.uint64], known: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The bucket of each sample by how frequent its query is among these samples, shape (N,).

    The most frequent queries that make up a third of the samples with a query are head, 0; the next
    ones that make up another third are torso, 1; all others are tail, 2. A sample without a query
    is in bucket 3.

    Args:
        queries: hash of the query of each sample, shape (N,); 0 where there is none.
        known: whether anything is known of each sample, shape (N,); the others are in no bucket.

    Example:
        >>> queries = np.array([7, 7, 7, 5, 5, 9, 0, 0], np.uint64)
        >>> query_buckets(queries, np.arange(8) < 7)
        array([ 0,  0,  0,  1,  1,  2,  3, -1])
    """
    found = np.full(len(queries), NONE, np.int64)
    asked = known & (queries != 0)
    found[known] = 3
    names, place, times = np.unique(queries[asked], return_inverse=True, return_counts=True)
    order = np.lexsort((names, -times))
    above = np.zeros(len(names), np.int64)  # samples with a more frequent query
    above[order[1:]] = np.cumsum(times[order])[:-1]
    total = int(times.sum())
    found[asked] = np.where(above * 3 < total, 0, np.where(above * 3 < total * 2, 1, 2))[place]
    return found


def _sizes(codes: NDArray[np.int64], may: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Number of members of each slice, by its code."""
    return np.bincount(codes[may & (codes != NONE)], minlength=int(codes.max(initial=0)) + 1)
