"""Which samples a version should still score."""

from collections.abc import Mapping, Sequence

from mainstem.importance import Rows
from mainstem.join import PlacedSample
from mainstem.scoring.schedule import newest
from mainstem.settings import Settings
from mainstem.store import Store, samples_between, trusted_samples

__all__ = ["due_again", "unscored"]


def due_again(
    store: Store,
    settings: Settings,
    rows: Mapping[int, Rows],
    version: int,
    ends: Mapping[int, int],
) -> list[PlacedSample]:
    """The samples that a new version should score again: all canaries, and the newest samples.

    Args:
        store: the history.
        settings: settings with the budget of newest samples.
        rows: rows of the worker's partitions. Samples whose label is outdated, or that the version
            has scored, are left out.
        version: number of the version in use.
        ends: position of the next sample of each partition.

    Returns:
        The samples, by partition and position.
    """
    budget, partitions = settings.responses.rescore_budget, settings.join.partitions
    budgeted = samples_between(store, newest(ends, budget, partitions))
    canaries = trusted_samples(store, "canary", ends)
    again = {sample.sample_id: sample for sample in [*canaries, *budgeted]}
    known = [one for one in again.values() if _is_due(rows[one.partition], one, version)]
    return sorted(known, key=lambda sample: (sample.partition, sample.offset))


def unscored(
    rows: Mapping[int, Rows], version: int, samples: Sequence[PlacedSample]
) -> list[PlacedSample]:
    """The samples whose label is not outdated and that a version has not scored yet.

    A sample that is delivered twice counts as one visit.

    Args:
        rows: rows of the worker's partitions.
        version: number of the version in use.
        samples: samples to choose from.
    """
    return [sample for sample in samples if not _is_done(rows[sample.partition], sample, version)]


def _is_due(rows: Rows, sample: PlacedSample, version: int) -> bool:
    known, last = _known_of(rows, sample)
    return known == sample.label_version and last < version


def _is_done(rows: Rows, sample: PlacedSample, version: int) -> bool:
    known, last = _known_of(rows, sample)
    return known > sample.label_version or (known == sample.label_version and last >= version)


def _known_of(rows: Rows, sample: PlacedSample) -> tuple[int, int]:
    """Label version and last version in a sample's row; -1 for both if it has no row."""
    row = rows.row_of(sample.sample_id)
    if row is None:
        return -1, -1
    return int(rows["label_version"][row]), int(rows["last_version"][row])
