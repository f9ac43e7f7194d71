"""Take samples into an embedded history: accept each once, give it position, part and features."""

from collections.abc import Mapping, Sequence

from mainstem.embedded.labels import Labels
from mainstem.join import PlacedSample, Sample
from mainstem.join.route import partition_of_question
from mainstem.scoring import Accepted, Schedule, first_times
from mainstem.scoring.features import with_features
from mainstem.settings import Settings
from mainstem.store import Store
from mainstem.store.positions import positions_of
from mainstem.store.writes import sample_columns, trusted_columns

__all__ = ["Arrivals"]


class Arrivals:
    """Where samples enter the history.

    Args:
        store: the history.
        labels: assigns samples to parts, and changes or adds labels.
        schedule: schedule of the replay, which gives out the positions.
        settings: settings with the lag of features.
    """

    def __init__(
        self, store: Store, labels: Labels, schedule: Schedule, settings: Settings
    ) -> None:
        self._store, self._labels, self._schedule = store, labels, schedule
        self._settings = settings

    def take_in(
        self,
        samples: Sequence[Sample],
        accepted: Mapping[int, Accepted],
        left: Mapping[int, int],
        version: int,
    ) -> list[PlacedSample]:
        """Write samples and their features.

        Args:
            samples: samples from the joiners, in order. The history must have the counts of all
                hours that were closed before the newest of them was made.
            accepted: samples that each partition accepted before.
            left: event time, by partition; samples before it have left the rows of the worker.
            version: number of the version in use.

        Returns:
            The samples that arrived for the first time, at their positions. They are to be scored.
        """
        schedule, count = self._schedule, len(self._schedule.reached)
        routed = [(partition_of_question(sample.question_id, count), sample) for sample in samples]
        first = first_times(accepted, routed, schedule.ends, left)
        new = [sample for sample, is_first in zip(samples, first, strict=True) if is_first]
        new = list(self._labels.with_graded(new, sum(schedule.ends.values())))
        partitions = [partition_of_question(sample.question_id, count) for sample in new]
        positions = schedule.positions(partitions)
        placed = self._write(list(zip(new, partitions, positions, strict=True)), version)
        repeated = [one for one, is_first in zip(routed, first, strict=True) if not is_first]
        self._write_again(repeated, version)
        return placed

    def _write(self, placed: Sequence[tuple[Sample, int, int]], version: int) -> list[PlacedSample]:
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
        told = [
            PlacedSample.of(*one, part, label, confirmed=trust.is_confirmed(one[0].sample_id))
            for one, part, label in zip(found, parts, vouched, strict=True)
        ]
        made = [sample for sample, _, _ in found]
        return with_features(self._store, told, made, self._settings, version)

    def _write_again(self, repeated: Sequence[tuple[int, Sample]], version: int) -> None:
        """Write samples whose event id was used before, at the positions of their first arrival."""
        known = positions_of(
            self._store, [(sample.sample_id, sample.label_version) for _, sample in repeated]
        )
        self._write(
            [
                (sample, partition, known[sample.sample_id, sample.label_version])
                for partition, sample in repeated
                if (sample.sample_id, sample.label_version) in known
            ],
            version,
        )
