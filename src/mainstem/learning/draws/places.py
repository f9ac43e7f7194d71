"""Finds the samples of the history among the rows of a pool."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mainstem.learning.draws.draw import Pool

__all__ = ["places"]


def places(pool: Pool, rows: NDArray[np.int64], ids: Sequence[int]) -> NDArray[np.int64]:
    """For each row the place of its sample among some ids, shape (N,); -1 where it is not there.

    Args:
        pool: samples by `key_high` and `key_low`.
        rows: N rows of the pool.
        ids: ids of samples as integers, each once.
    """
    mine = pool["key_high"][rows], pool["key_low"][rows]
    theirs = (
        np.array([one >> 64 for one in ids], np.uint64),
        np.array([one & 0xFFFF_FFFF_FFFF_FFFF for one in ids], np.uint64),
    )
    high, low = (np.concatenate(both) for both in zip(mine, theirs, strict=True))
    is_theirs = np.arange(len(high)) >= len(rows)
    order = np.lexsort((is_theirs, low, high))
    first, second = order[:-1], order[1:]
    same = (high[first] == high[second]) & (low[first] == low[second])
    same &= ~is_theirs[first] & is_theirs[second]
    found = np.full(len(rows), -1, np.int64)
    found[first[same]] = second[same] - len(rows)
    return found
