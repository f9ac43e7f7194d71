"""The draw of a round, made from its pool and from what the history knows of the current version.

How it knows that a version has learnt: the gate held the version against counting, and it ranked
better. Until then a draw takes all that it can get, unless the settings have it choose always.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from mainstem.ids import number_of
from mainstem.learning.draws.catalogue import of_catalogue
from mainstem.learning.draws.draw import Draw, Pool, draw
from mainstem.learning.draws.floors import NONE, query_buckets
from mainstem.learning.draws.places import places
from mainstem.scoring.schedule import newest
from mainstem.settings import Settings
from mainstem.store import Store
from mainstem.store.draws import made_by, sliced_since

__all__ = ["next_draw"]


def next_draw(
    store: Store,
    pool: Pool,
    settings: Settings,
    *,
    version: int,
    parent: int,
    ends: Mapping[int, int],
    later_from: int,
    heeds: bool = True,
) -> Draw:
    """Draw the samples of a round.

    Args:
        store: the history.
        pool: all samples that have a visit.
        settings: settings of learning, and the seed of the run.
        version: number of the version that the round makes; with the seed it decides the draw.
        parent: number of the current version.
        ends: position of the next sample of each partition. The newest samples before are held out.
        later_from: event time in milliseconds from which on samples are not trained on.
        heeds: whether the draw heeds importance and evidence; else samples are drawn alike.
    """
    learning = settings.learning
    candidates = _before(pool, ends, learning.held_out) & (pool["event_time"] < later_from)
    made, new = made_by(store, parent), None
    if learning.choose == "always" or (made and made.beats_counting):
        known = dict(enumerate(made.offsets)) if made else {}
        new = ~_before(pool, {one: known.get(one, 0) for one in ends}, learning.held_out)
    random = np.random.default_rng(number_of("draw", settings.run.seed, version))
    counts, rest = of_catalogue(store, pool, learning, ends)
    if rest is not None:
        candidates &= ~rest
    slices = _slices(store, pool)
    return draw(
        pool, candidates, learning, random, new=new, slices=slices, counts=counts, heeds=heeds
    )


def _before(pool: Pool, ends: Mapping[int, int], held_out: int) -> NDArray[np.bool_]:
    """The samples that a round at these positions could draw, because it did not hold them out."""
    first = newest(ends, held_out, len(ends))
    places = np.array([first[partition][0] for partition in sorted(first)], np.int64)
    return np.asarray(pool["offset"] < places[pool["partition"]])


def _slices(store: Store, pool: Pool) -> Callable[[NDArray[np.int64]], Sequence[NDArray[np.int64]]]:
    """Gives the slices of some rows of the pool: category and query bucket."""

    def slices(rows: NDArray[np.int64]) -> Sequence[NDArray[np.int64]]:
        found = list(sliced_since(store, int(pool["event_time"][rows].min(initial=0))))
        place = places(pool, rows, [one.sample_id.int for one in found])
        known = place >= 0
        queries, category = np.zeros(len(rows), np.uint64), np.full(len(rows), NONE, np.int64)
        queries[known] = np.array([one.query for one in found], np.uint64)[place[known]]
        names = np.array([one.category for one in found], np.str_)[place[known]]
        code = np.unique(names, return_inverse=True)[1].astype(np.int64)
        category[known] = np.where(names == "", NONE, code)
        return category, query_buckets(queries, known)

    return slices
