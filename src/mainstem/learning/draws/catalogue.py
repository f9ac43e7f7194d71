"""What the catalogue says of the samples of a draw: how much each counts, and which rest.

A sample keeps the text of its moment. If its item has got other words since, the sample is outdated
and counts the less the longer ago that was. If the item is gone, its samples rest. No event says
that an item is gone: it is gone if nobody has described it or asked about it for `gone_after`.

Both are asked of the history, as of the positions of the round, so that rows hold nothing for them
and a draw that is made again is the same.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mainstem.learning.draws.draw import Pool
from mainstem.learning.draws.places import places
from mainstem.settings import Learning
from mainstem.store import Store
from mainstem.store.item_texts import outdated_samples, samples_of_gone

__all__ = ["OfCatalogue", "counting_half", "of_catalogue"]


class OfCatalogue(NamedTuple):
    """What the catalogue says of N samples.

    Attributes:
        counts: how much each counts in a draw, in [0, 1], shape (N,); None if all count in full.
        rest: which must not be drawn, shape (N,); None if none must.
    """

    counts: NDArray[np.float64] | None
    rest: NDArray[np.bool_] | None


def of_catalogue(
    store: Store, pool: Pool, learning: Learning, ends: Mapping[int, int]
) -> OfCatalogue:
    """What the catalogue says of the samples of a pool when the input has come to some positions.

    Args:
        store: the history.
        pool: N samples.
        learning: `outdated_beyond`, `outdated_half_life` and `gone_after` count.
        ends: position of the next sample of each partition.
    """
    times, rows = pool["event_time"], np.arange(len(pool["event_time"]))
    known = np.array([ends.get(one, 0) for one in range(max(ends, default=-1) + 1)], np.int64)
    here = times[pool["offset"] < known[pool["partition"]]] if len(times) else times
    if not len(here):
        return OfCatalogue(None, None)
    oldest, now = int(times.min()), int(here.max())
    counts, rest = None, None
    if learning.outdated_half_life:
        found = list(
            outdated_samples(store, oldest=oldest, now=now, beyond=learning.outdated_beyond)
        )
        if found:
            place = places(pool, rows, [one.sample_id.int for one in found])
            its, since = place >= 0, np.array([one.since for one in found], np.float64)
            counts = np.ones(len(rows))
            ages = now - since[place[its]]
            counts[its] = counting_half(ages, learning.outdated_half_life)
    if learning.gone_after:
        lately = now - learning.gone_after
        gone = samples_of_gone(store, oldest=oldest, now=now, lately=lately, ends=ends)
        rest = places(pool, rows, [one.int for one in gone]) >= 0
    return OfCatalogue(counts, rest)


def counting_half(ages: NDArray[np.float64], half_life: int) -> NDArray[np.float64]:
    """How much samples count whose texts are outdated for so long.

    Args:
        ages: milliseconds since each text became outdated, shape (N,), >= 0.
        half_life: milliseconds after which one counts half; 0 lets all count in full.

    Returns:
        Factors, shape (N,), in [0, 1].

    Example:
        >>> counting_half(np.array([0.0, 5.0, 10.0]), 5).tolist()
        [1.0, 0.5, 0.25]
    """
    if not half_life:
        return np.ones(len(ages))
    return np.asarray(np.exp2(-np.maximum(ages, 0) / half_life), np.float64)
