"""Samples arrive in an embedded history: each is accepted once, gets its position and its part, and is written."""

from collections.abc import Mapping, Sequence

from mainstem.embedded.labels import Labels
from mainstem.join import PlacedSample, Sample
from mainstem.join.route import partition_of_question
from mainstem.scoring import Accepted, Schedule, first_times
from mainstem.store import Store
from mainstem.store.positions import positions_of
from mainstem.store.writes import sample_columns, trusted_columns

__all__ = ["Arrivals"]


class Arrivals:
    """The door of the history.

    Args:
        store: the history.
        labels: parts, and what happens to labels.
        schedule: gives the positions; whoever scores takes them.
    """

    def __init__(self, store: Store, labels: Labels, schedule: Schedule) -> None:
        self._store, self._labels, self._schedule = store, labels, schedule

    def take_in(
        self, samples: Sequence[Sample], accepted: Mapping[int, Accepted], left: Mapping[int, int]
    ) -> list[PlacedSample]:
        """Write samples; gives those that came for the first time, each at its position.

        Args:
            samples: what the joiners gave, in their order.
            accepted: what each partition accepted before.
            left: event time before which rows have left, by partition.
        """
        schedule, count = self._schedule, len(self._schedule.reached)
        routed = [(partition_of_question(sample.question_id, count), sample) for sample in samples]
        first = first_times(accepted, routed, schedule.ends, left)
        new = [sample for sample, is_first in zip(samples, first, strict=True) if is_first]
        new = list(self._labels.with_graded(new, sum(schedule.ends.values())))
        partitions = [partition_of_question(sample.question_id, count) for sample in new]
        placed = self._write(
            list(zip(new, partitions, schedule.positions(partitions), strict=True))
        )
        self._write_again(
            [one for one, is_first in zip(routed, first, strict=True) if not is_first]
        )
        return placed

    def _write(self, placed: Sequence[tuple[Sample, int, int]]) -> list[PlacedSample]:
        labels, trust = self._labels, self._labels.trust
        parts = [labels.part_of(sample) for sample, _, _ in placed]
        found = [
            (labels.relabel(sample, part), partition, position)
            for (sample, partition, position), part in zip(placed, parts, strict=True)
        ]
        self._store.write("samples", sample_columns(found))
        vouched = [trust.label_of(sample.sample_id) for sample, _, _ in found]
        trusted = [
            (sample.sample_id, part, labels.origin_of(sample), label)
            for (sample, _, _), part, label in zip(found, parts, vouched, strict=True)
            if part != "stream"
        ]
        self._store.write("trusted", trusted_columns(trusted))
        return [
            PlacedSample.of(*one, part, label)
            for one, part, label in zip(found, parts, vouched, strict=True)
        ]

    def _write_again(self, repeated: Sequence[tuple[int, Sample]]) -> None:
        """What an event id that was used again says now, at the position where the sample came first."""
        known = positions_of(
            self._store, [(sample.sample_id, sample.label_version) for _, sample in repeated]
        )
        self._write(
            [
                (sample, partition, known[sample.sample_id, sample.label_version])
                for partition, sample in repeated
                if (sample.sample_id, sample.label_version) in known
            ]
        )
