"""Which samples were accepted before: a position counts each sample once, however often it is delivered.

A sample is accepted for the first time when nothing is known of its sample id, or only older label versions. The rows know
those that have a response; what else was accepted (direction and gate samples) is remembered here as long as a row would
be; what is older than that, the history is asked for.
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
    """What was accepted of one partition.

    Args:
        store: the history; it knows whatever was accepted before the samples that are asked about.
        partition: which.
        rows: the partition's rows, as they are now.
    """

    def __init__(self, store: Store, partition: int, rows: Rows) -> None:
        self._store, self._partition, self._rows = store, partition, rows
        self._others: dict[
            UUID, tuple[int, int]
        ] = {}  # label version and event time of what has no row

    def rebuild(self, end: int, left: int) -> None:
        """Remember again what was accepted before a position, as far as it is no older than `left`."""
        for one in accepted_without_response(self._store, self._partition, end, left):
            self._others[one.sample_id] = (one.label_version, one.event_time)

    def of_old(self, samples: Sequence[_Sample], end: int, left: int) -> dict[UUID, int]:
        """The label versions, as the history has them, of samples that are too old to be remembered here.

        Args:
            samples: some samples.
            end: the position of the next sample.
            left: event time before which rows have left.
        """
        gone = [
            one.sample_id
            for one in samples
            if one.event_time < left and self._known(one.sample_id) < 0
        ]
        return accepted_versions(self._store, self._partition, end, gone) if gone else {}

    def take(self, sample: _Sample, of_old: Mapping[UUID, int]) -> bool:
        """Whether a sample comes for the first time; from now on it has come."""
        known = max(self._known(sample.sample_id), of_old.get(sample.sample_id, -1))
        if sample.label_version <= known:
            return False
        self._others[sample.sample_id] = (sample.label_version, sample.event_time)
        return True

    def settle(self, sample: _Sample) -> None:
        """Forget a sample that has a row by now."""
        if self._in_rows(sample.sample_id) >= sample.label_version:
            self._others.pop(sample.sample_id, None)

    def leave(self, before: int) -> None:
        """Forget what is older than an event time: the history is asked for it from now on."""
        self._others = {
            sample_id: one for sample_id, one in self._others.items() if one[1] >= before
        }

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
    """Which of some samples, each with its partition, come for the first time.

    Args:
        accepted: what each partition accepted.
        samples: in their order.
        ends: the next position of each partition.
        left: event time before which rows have left, by partition.
    """
    old: dict[int, dict[UUID, int]] = {}
    for partition in sorted({partition for partition, _ in samples}):
        mine = [sample for at, sample in samples if at == partition]
        old[partition] = accepted[partition].of_old(mine, ends[partition], left[partition])
    # subtle: nothing is taken before all is asked, so that whoever is refused an answer may ask again
    return [accepted[partition].take(sample, old[partition]) for partition, sample in samples]
