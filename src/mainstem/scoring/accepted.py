"""Which samples were accepted before.

A position counts each sample once, however often it is delivered. A sample is accepted for the
first time when its sample id is unknown, or known with older label versions only. The rows know
the samples that have a response. Other accepted samples (direction and gate samples) are remembered
here for as long as a row would be. For older samples the history is asked.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

from mainstem.importance import Rows
from mainstem.store import Store
from mainstem.store.positions import accepted_versions, accepted_without_response

__all__ = ["Accepted", "first_times"]


class _Sample(Protocol):
    @property
    def sample_id(self) -> UUID: ...
    @property
    def label_version(self) -> int: ...
    @property
    def event_time(self) -> int: ...


class Accepted:
    """The samples of one partition that were accepted.

    Args:
        store: the history. It holds every sample that was accepted before the samples that are
            asked about.
        partition: number of the partition.
        rows: current rows of the partition.
    """

    def __init__(self, store: Store, partition: int, rows: Rows) -> None:
        self._store, self._partition, self._rows = store, partition, rows
        # label version and event time of each sample without a row
        self._others: dict[UUID, tuple[int, int]] = {}

    def rebuild(self, end: int, left: int) -> None:
        """Remember again the samples accepted before position `end`, no older than `left`."""
        for one in accepted_without_response(self._store, self._partition, end, left):
            self._others[one.sample_id] = (one.label_version, one.event_time)

    def of_old(self, samples: Sequence[_Sample], end: int, left: int) -> dict[UUID, int]:
        """Label versions in the history of samples that are too old to be remembered here.

        Args:
            samples: some samples of the partition.
            end: position of the next sample.
            left: event time before which rows were dropped.
        """
        is_old = [one.event_time < left and self._known(one.sample_id) < 0 for one in samples]
        gone = [one.sample_id for one, old in zip(samples, is_old, strict=True) if old]
        return accepted_versions(self._store, self._partition, end, gone) if gone else {}

    def take(self, sample: _Sample, of_old: Mapping[UUID, int]) -> bool:
        """Accept a sample; return whether it was accepted for the first time.

        Args:
            sample: the sample.
            of_old: label versions in the history, from `of_old`.
        """
        known = max(self._known(sample.sample_id), of_old.get(sample.sample_id, -1))
        if sample.label_version <= known:
            return False
        self._others[sample.sample_id] = (sample.label_version, sample.event_time)
        return True

    def settle(self, sample: _Sample) -> None:
        """Forget a sample that has a row now."""
        if self._in_rows(sample.sample_id) >= sample.label_version:
            self._others.pop(sample.sample_id, None)

    def leave(self, before: int) -> None:
        """Forget samples older than an event time; the history is asked for them from now on."""
        others = self._others.items()
        self._others = {sample_id: one for sample_id, one in others if one[1] >= before}

    def _known(self, sample_id: UUID) -> int:
        remembered, _ = self._others.get(sample_id, (-1, 0))
        return max(remembered, self._in_rows(sample_id))

    def _in_rows(self, sample_id: UUID) -> int:
        row = self._rows.row_of(sample_id)
        return -1 if row is None else int(self._rows["label_version"][row])


def first_times(
    accepted: Mapping[int, Accepted],
    samples: Sequence[tuple[int, _Sample]],
    ends: Mapping[int, int],
    left: Mapping[int, int],
) -> list[bool]:
    """Accept samples; return for each whether it was accepted for the first time.

    Args:
        accepted: accepted samples of each partition.
        samples: samples with their partitions, in order.
        ends: position of the next sample of each partition.
        left: event time before which rows were dropped, for each partition.
    """
    old: dict[int, dict[UUID, int]] = {}
    for partition in sorted({partition for partition, _ in samples}):
        mine = [sample for at, sample in samples if at == partition]
        old[partition] = accepted[partition].of_old(mine, ends[partition], left[partition])
    # subtle: the history is asked before any sample is accepted, so that a caller who gets an error
    # may try again
    return [accepted[partition].take(sample, old[partition]) for partition, sample in samples]
