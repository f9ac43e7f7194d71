"""Which samples a version should still score."""

from collections.abc import Mapping, Sequence

from mainstem.importance import Rows
from mainstem.join import PlacedSample
from mainstem.scoring.changeable import most_changeable
from mainstem.scoring.held import is_scored, row_of
from mainstem.scoring.looking import looked_at_again
from mainstem.scoring.reservoir import canaries_to_score, trusted_reservoir
from mainstem.scoring.schedule import newest
from mainstem.settings import Settings
from mainstem.store import Store, samples_between
from mainstem.store.reads import samples_among

__all__ = ["due_again", "unscored"]


def due_again(
    store: Store,
    settings: Settings,
    rows: Mapping[int, Rows],
    held: Mapping[int, Rows],
    version: int,
    ends: Mapping[int, int],
) -> list[PlacedSample]:
    """The samples that a new version should score again: trusted ones, and some of the stream.

    Of the stream those are the newest samples, or the ones whose standing a visit is most likely to
    change; and a few `spent` ones, in case they have something to teach again. Of each part of the
    trusted samples a reservoir is scored again, and of direction and gate only confirmed samples.

    Args:
        store: the history.
        settings: settings with the budget, how it is spent, the sizes of the reservoirs, and the
            share of spent samples.
        rows: rows of the worker's partitions. Samples whose label is outdated, or that the version
            has scored, are left out.
        held: rows of confirmed samples of direction and gate, of the same partitions.
        version: number of the version in use.
        ends: position of the next sample of each partition.

    Returns:
        The samples, by partition and position.
    """
    budget, partitions = settings.responses.rescore_budget, settings.join.partitions
    if settings.responses.rescore == "newest":
        budgeted = samples_between(store, newest(ends, budget, partitions))
    else:
        budgeted = []
        for partition, end in sorted(ends.items()):
            its, share = rows[partition], budget // partitions
            chosen = most_changeable(its, version, share, settings.standing)
            ids = [its.id_of(row) for row in chosen]
            budgeted += samples_among(store, partition, end, ids)
    trusted = canaries_to_score(store, settings, ends)
    if any(len(some) for some in held.values()):
        for part in ("direction", "gate"):
            trusted += trusted_reservoir(store, settings, part, ends)
    spent_again, seed = settings.learning.spent_again, settings.run.seed
    spent = [
        one
        for partition, some in rows.items()
        if partition in ends
        for one in samples_among(
            store,
            partition,
            ends[partition],
            looked_at_again(some, spent_again, seed, version),
        )
    ]
    every = [*trusted, *spent, *budgeted]
    again = {sample.sample_id: sample for sample in every if is_scored(sample)}
    known = [one for one in again.values() if _is_due(row_of(one, rows, held), one, version)]
    return sorted(known, key=lambda sample: (sample.partition, sample.offset))


def unscored(
    rows: Mapping[int, Rows],
    held: Mapping[int, Rows],
    version: int,
    samples: Sequence[PlacedSample],
) -> list[PlacedSample]:
    """The samples whose label is not outdated and that a version has not scored yet.

    A sample that is delivered twice counts as one visit.

    Args:
        rows: rows of the worker's partitions.
        held: rows of confirmed samples of direction and gate, of the same partitions.
        version: number of the version in use.
        samples: samples to choose from.
    """
    return [one for one in samples if not _is_done(row_of(one, rows, held), one, version)]


def _is_due(row: tuple[int, int], sample: PlacedSample, version: int) -> bool:
    known, last = row
    return known == sample.label_version and last < version


def _is_done(row: tuple[int, int], sample: PlacedSample, version: int) -> bool:
    known, last = row
    return known > sample.label_version or (known == sample.label_version and last >= version)
