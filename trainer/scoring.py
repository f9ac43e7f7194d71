"""The scoring worker beside Kafka: samples of its partitions in; responses, standings and moves out; then the commit.

A partition that arrives is rebuilt from the history up to the group's commit, so it does not matter who had it before. The
schedule says where a judgement falls; another one falls at the end of a partition once nothing comes any more. How far a
partition has come is kept with the commit: positions count samples, and a record that is delivered again counts none.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, Final

import msgspec

from mainstem.join import PlacedSample, Sample
from mainstem.kafka import Broker, Intake
from mainstem.kafka.intake import Assigned
from mainstem.kafka.messages import (
    Announcement,
    decode_samples,
    read_message,
)
from mainstem.kafka.outages import patiently
from mainstem.scoring import Accepted, Reached, Schedule, ScoringWorker, first_times
from mainstem.scoring.turns import Turns
from mainstem.settings import Settings
from mainstem.store import Store
from mainstem.store.judged import JudgedAt, last_judgement
from mainstem.store.positions import adopt_offsets, ends_of_positions
from mainstem.store.turns import AGAIN, JUDGE, TAKE_UP
from mainstem.store.writes import position_columns
from mainstem.trusted import Confirmed, Trust
from mainstem.versions import Versions, load_active

from .outgoing import Outgoing

__all__ = ["ScoringProgram"]

_LOG = logging.getLogger("mainstem.score")
_CHUNK: Final = 512  # samples that are scored again between two looks at the topic
_NO_JUDGEMENT: Final = JudgedAt(0, -1)


class ScoringProgram:
    """One scoring worker: a `ScoringWorker` fed from a topic.

    Args:
        store, versions: the history and the models.
        settings: of scoring and judging.
        broker, producer: where new standings and the schedule go.
        intake: samples; set by whoever makes it, before the first step.
        idle: seconds without records after which a partition is judged at its end.

    Attributes:
        scored, judgements: counts so far.
    """

    intake: Intake

    def __init__(
        self,
        store: Store,
        versions: Versions,
        settings: Settings,
        broker: Broker,
        producer: Any,
        idle: float,
    ) -> None:
        self.scored = self.judgements = 0
        self._store, self._versions, self._settings = store, versions, settings
        self._idle, self._outgoing = idle, Outgoing(broker, producer)
        publish = self._outgoing.standings
        self._worker = ScoringWorker(store, settings, (), trusted=False, publish=publish)
        self._trust = Trust(settings)
        self._schedule = Schedule(judge_every=settings.standing.judge_every)
        self._turns = Turns(store, self._outgoing.turns)
        self._accepted: dict[int, Accepted] = {}
        self._judged: dict[int, JudgedAt] = {}  # the last judgement of each partition
        self._again: list[PlacedSample] = []  # to be scored again when there is time
        self._last_record = time.monotonic()

    @property
    def version(self) -> int:
        """The version in use."""
        return self._worker.version

    def believe(self, confirmed: Sequence[Confirmed]) -> None:
        """Take in trusted samples; they count for what is scored and judged from now on."""
        for one in confirmed:
            self._trust.take(one)
        self._worker.trusted = self._trust.is_own

    def assigned(self, owned: Sequence[Assigned]) -> None:
        """Rebuild the columns of partitions that arrived."""
        for _, partition in owned:
            begun = time.monotonic()
            reached = patiently(self._stood, partition)
            end, left = (
                reached.position,
                max(reached.event_time - self._settings.responses.horizon, 0),
            )
            self._schedule.reached[partition] = reached
            self._judged[partition] = (
                patiently(last_judgement, self._store, partition, end) or _NO_JUDGEMENT
            )
            patiently(
                self._worker.rebuild, {partition: end}, self._worker.version, {partition: left}
            )
            patiently(self._worker.write_again, partition, end)
            self._accepted[partition] = Accepted(
                self._store, partition, self._worker.rows[partition]
            )
            patiently(self._accepted[partition].rebuild, end, left)
            patiently(self._turns.take_over, partition, end, self.version)
            took, count = time.monotonic() - begun, len(self._worker.rows[partition])
            _LOG.info(
                "owns partition %d from position %d: %d samples rebuilt in %.1f s",
                partition,
                end,
                count,
                took,
            )
        self._again = patiently(self._worker.due, self._schedule.ends)
        self._last_record = time.monotonic()

    def revoked(self, owned: Sequence[Assigned]) -> None:
        """Forget partitions that another worker owns from now on."""
        for _, partition in owned:
            self._worker.disown(partition)
            for known in (self._schedule.reached, self._accepted, self._judged):
                known.pop(partition, None)
        self._again = []

    def take_up(self, announced: Announcement, *, first: bool) -> None:
        """Use an announced version; unless it is the first this program sees, score the canaries again at once."""
        before = self.version
        active = patiently(load_active, self._versions, announced.version, self._settings)
        self._worker.use(
            announced.version, active, self._versions.manifest(announced.version).scale
        )
        _LOG.info("took up version %d", announced.version)
        if first:
            return
        for version in range(before + 1, announced.version + 1):  # this worker may have missed some
            patiently(self._worker.mark_drawn, version)
        due = patiently(self._worker.due, self._schedule.ends)
        self._score_again(
            TAKE_UP, self._schedule.ends, [sample for sample in due if sample.part == "canary"]
        )
        self._again = [sample for sample in due if sample.part != "canary"]

    def step(self) -> None:
        """Take one batch, or use the time."""
        if batch := self.intake.next_batch():
            self._last_record = time.monotonic()
            ends = self._take([record for _, record in batch])
            self._outgoing.delivered()
            if not patiently(self.intake.commit, self._stands(ends)):
                _LOG.info("the partitions went to another worker; it scores this batch again")
        elif self._again:
            chunk, self._again = self._again[:_CHUNK], self._again[_CHUNK:]
            mine = self._worker.unscored(
                [sample for sample in chunk if sample.partition in self._schedule.reached]
            )
            self._score_again(
                AGAIN,
                {sample.partition: self._schedule.ends[sample.partition] for sample in mine},
                mine,
            )
        elif time.monotonic() - self._last_record > self._idle:
            for partition, end in self._schedule.ends.items():
                if end and self._judged[partition] != (end, self.version):
                    patiently(self._turns.write, JUDGE, self.version, {partition: end})
                    self._judge(partition)
            self._outgoing.delivered()

    def _take(self, records: Sequence[Any]) -> dict[int, int]:
        """Score what comes for the first time, in its order, and judge where it is due; gives the next offsets."""
        mine = [
            record for record in records if record.partition in self._schedule.reached
        ]  # the others are not ours any more
        brought = [(record, sample) for record in mine for sample in _samples_in(record)]
        routed = [(record.partition, sample) for record, sample in brought]
        first = patiently(
            first_times, self._accepted, routed, self._schedule.ends, self._worker.left
        )
        new = [one for one, is_first in zip(brought, first, strict=True) if is_first]
        positions = self._schedule.positions(record.partition for record, _ in new)
        placed = [
            self._stored(sample, record.partition, at)
            for (record, sample), at in zip(new, positions, strict=True)
        ]
        offsets = iter([record.offset for record, _ in new])
        for run in self._schedule.runs(placed, 4 * self._settings.responses.score_batch):
            self._score(run.samples)
            # subtle: after the responses, for what has a position counts as scored; before the judgement, which forgets rows
            self._keep_positions(run.samples, list(islice(offsets, len(run.samples))))
            if run.due.judge:
                self._judge(run.partition)
        self._outgoing.accepted(placed)
        return {record.partition: record.offset + 1 for record in mine}

    def _score(self, samples: Sequence[PlacedSample]) -> None:
        if some := self._worker.unscored(samples):
            patiently(self._worker.score, some)
            self.scored += len(some)
            if self._worker.scale is not None:
                self._outgoing.scale(self.version, self._worker.scale)

    def _score_again(
        self, kind: str, ends: Mapping[int, int], samples: Sequence[PlacedSample]
    ) -> None:
        patiently(self._turns.write, kind, self.version, ends, samples)
        self._score(samples)

    def _keep_positions(self, samples: Sequence[PlacedSample], offsets: Sequence[int]) -> None:
        patiently(self._store.write, "positions", position_columns(samples, offsets))
        for sample in samples:
            self._accepted[sample.partition].settle(sample)

    def _judge(self, partition: int) -> None:
        reached = self._schedule.reached[partition]
        patiently(self._worker.judge, partition, reached.position, reached.event_time)
        self._accepted[partition].leave(self._worker.left[partition])
        self._judged[partition] = JudgedAt(reached.position, self.version)
        self.judgements += 1

    def _stands(self, ends: Mapping[int, int]) -> dict[Assigned, tuple[int, str]]:
        """What to commit: the next offset of each partition, and how far it has come."""
        reached = self._schedule.reached
        return {
            ("samples", at): (end, msgspec.json.encode(reached[at]).decode())
            for at, end in ends.items()
        }

    def _stood(self, partition: int) -> Reached:
        """How far a partition had come at the group's commit."""
        offset, note = self.intake.stand(("samples", partition))
        with suppress(msgspec.DecodeError):
            return msgspec.json.decode(note, type=Reached)
        # a commit without a note is somebody else's, or one of before, when offsets were the positions
        if not (found := ends_of_positions(self._store, before=(partition, offset))) and offset:
            adopt_offsets(self._store, partition, offset)
            found = [
                one._replace(position=offset)
                for one in ends_of_positions(self._store, before=(partition, offset))
            ]
        return (
            Reached(position=found[0].position, event_time=found[0].event_time)
            if found
            else Reached()
        )

    def _stored(self, sample: Sample, partition: int, position: int) -> PlacedSample:
        trust = self._trust
        part, label = (
            trust.part_of(sample.sample_id, sample.question_id),
            trust.label_of(sample.sample_id),
        )
        return PlacedSample.of(sample, partition, position, part, label)


def _samples_in(record: Any) -> Sequence[Sample]:
    return (
        read_message(record.value, decode_samples, f"samples/{record.partition} at {record.offset}")
        or ()
    )
