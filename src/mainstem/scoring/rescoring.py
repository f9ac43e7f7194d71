"""Which samples a version has still to score."""

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
    """What a new version should score again: all canaries, and the newest samples within the budget.

    Args:
        store: the history.
        settings: the budget.
        rows: of the worker's partitions; a sample with an outdated label, or scored by this version, is left out.
        version: the version in use.
        ends: the next position of each partition.
    """
    budgeted = samples_between(
        store, newest(ends, settings.responses.rescore_budget, settings.join.partitions)
    )
    again = {
        sample.sample_id: sample for sample in [*trusted_samples(store, "canary", ends), *budgeted]
    }
    known = [
        sample for sample in again.values() if _is_due(rows[sample.partition], sample, version)
    ]
    return sorted(known, key=lambda sample: (sample.partition, sample.offset))


def unscored(
    rows: Mapping[int, Rows], version: int, samples: Sequence[PlacedSample]
) -> list[PlacedSample]:
    """Those whose label is not outdated and that a version has not scored: what comes twice is no visit."""
    return [sample for sample in samples if not _is_done(rows[sample.partition], sample, version)]


def _is_due(rows: Rows, sample: PlacedSample, version: int) -> bool:
    known, last = _known_of(rows, sample)
    return known == sample.label_version and last < version


def _is_done(rows: Rows, sample: PlacedSample, version: int) -> bool:
    known, last = _known_of(rows, sample)
    return known > sample.label_version or (known == sample.label_version and last >= version)


def _known_of(rows: Rows, sample: PlacedSample) -> tuple[int, int]:
    """Label version and last version of a sample's row; -1 for both where it has none."""
    row = rows.row_of(sample.sample_id)
    return (
        (-1, -1)
        if row is None
        else (int(rows["label_version"][row]), int(rows["last_version"][row]))
    )
