"""A reservoir over time: which of many samples stand for all of them, and mostly for recent ones.

Each sample has a key for ever, out of its id, its time and a seed; the samples with the smallest
keys are in the reservoir. So nothing is decided again: whoever knows the same samples has the same
reservoir, in whatever order they came, however they are partitioned, and after any restart. As the
log grows, a sample can only leave.

The older of two samples that lie a half-life apart counts half as much. Weights as of now would
change with time and all keys with them; weights that grow with a sample's own time have the same
ratios and never change. They would overflow, so a key is kept as its logarithm.

Source:
    Efraimidis and Spirakis, Weighted random sampling with a reservoir, Information Processing
    Letters 2006, whose keys u^(1/w) are here exponential variables divided by w, in logarithms;
    Cormode, Shkapenyuk, Srivastava, Xu, Forward Decay, ICDE 2009,
    https://doi.org/10.1109/ICDE.2009.65.
"""

import math
from collections.abc import Sequence
from typing import Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from mainstem.ids import uuids_of

__all__ = ["HALF_LIFE", "keys_of", "reservoir"]

HALF_LIFE: Final = 30 * 86_400_000
"""Milliseconds of event time after which a sample counts half as much."""
_RATE: Final = math.log(2) / HALF_LIFE
_LOW: Final = 0xFFFF_FFFF_FFFF_FFFF


def keys_of(ids: Sequence[UUID], event_times: Sequence[int], seed: int) -> NDArray[np.float64]:
    """The keys of things; of any number of them, those with the smallest keys are kept.

    Args:
        ids: id of each, N of them. Things of one id and time have one key, so that samples of one
            question stay together if they are given its id.
        event_times: event time of each, in milliseconds.
        seed: seed of the run.

    Returns:
        Logarithms of exponential variables of rate 2^(time / half-life), shape (N,).

    Example:
        >>> old, new = keys_of([UUID(int=1)] * 2, [0, HALF_LIFE], seed=0)
        >>> round(math.exp(old - new), 9)
        2.0
    """
    hashed = uuids_of("reservoir", seed)
    # subtle: half a step is added, because the logarithm of 0 is not finite
    uniform = [(hashed(one.hex).int >> 75) / 2**53 + 2**-54 for one in ids]
    waiting = np.array([math.log(-math.log1p(-one)) for one in uniform], np.float64)
    return np.asarray(waiting - _RATE * np.array(event_times, np.float64))


def reservoir(
    keys: NDArray[np.float64],
    ids: Sequence[UUID],
    most: int,
    *,
    first: NDArray[np.bool_] | None = None,
    strata: NDArray[np.int64] | None = None,
    least: int = 0,
) -> NDArray[np.int64]:
    """Places of the samples that are in a reservoir, in their order.

    Args:
        keys: key of each sample, shape (N,).
        ids: ids of the N samples, which order those of one key.
        most: number of samples in the reservoir; with fewer samples, all are in it.
        first: samples that go before all others, shape (N,); among themselves their keys decide.
        strata: number of the stratum of each sample, shape (N,); None for one stratum.
        least: number of samples of each stratum that are in the reservoir before the rest is
            filled up. If these are more than `most`, there are no others.

    Returns:
        Places, shape (M,), M <= N.

    Example:
        >>> keys, ids = np.array([0.4, 0.1, 0.3, 0.2]), [UUID(int=one) for one in range(4)]
        >>> reservoir(keys, ids, 2)
        array([1, 3])
        >>> reservoir(keys, ids, 2, strata=np.array([1, 0, 0, 0]), least=1)
        array([0, 1])
    """
    if len(keys) <= most:
        return np.arange(len(keys))
    later = np.zeros(len(keys), np.bool_) if first is None else ~first
    high = np.array([one.int >> 64 for one in ids], np.uint64)
    low = np.array([one.int & _LOW for one in ids], np.uint64)
    order = np.lexsort((low, high, keys, later))
    is_kept = np.zeros(len(keys), np.bool_)
    if strata is not None and least:
        for one in np.unique(strata):
            is_kept[order[strata[order] == one][:least]] = True
    others = order[~is_kept[order]]
    is_kept[others[: max(most - int(is_kept.sum()), 0)]] = True
    return np.flatnonzero(is_kept)
