"""The scoring worker beside Kafka: samples of its partitions in; responses, standings and moves out; then the commit.

A partition that arrives is rebuilt from the history up to the group's commit, so it does not matter who had it before. A
judgement falls at every `judge_every` offsets of a partition, and at its end once nothing comes any more.
"""

import logging
import time
from collections.abc import Sequence
from typing import Any, Final

from mainstem.join import PlacedSample, Sample
from mainstem.kafka import Broker, Intake
from mainstem.kafka.intake import Place
from mainstem.kafka.messages import Announcement, PublishedStanding, decode_samples, encode, read_message
from mainstem.kafka.patience import patiently
from mainstem.scoring import SCORED, ScoringWorker
from mainstem.settings import Settings
from mainstem.store import Store
from mainstem.store.standings import KeptStanding
from mainstem.trusted import Confirmed, Trust
from mainstem.versions import Versions, load_active

__all__ = ["ScoringProgram"]

_LOG = logging.getLogger("mainstem.score")
_CHUNK: Final = 512  # samples that are scored again between two looks at the topic


class ScoringProgram:
    """One scoring worker: a `ScoringWorker` fed from a topic.

    Args:
        store, versions: the history and the models.
        settings: of scoring and judging.
        broker, producer: where new standings go.
        intake: samples; set by whoever makes it, before the first step.
        idle: seconds without records after which a partition is judged at its end.

    Attributes:
        scored, judgements: counts so far.
    """

    intake: Intake

    def __init__(
        self, store: Store, versions: Versions, settings: Settings, broker: Broker, producer: Any, idle: float
    ) -> None:
        self.scored = self.judgements = 0
        self._store, self._versions, self._settings = store, versions, settings
        self._topic, self._producer, self._idle = broker.topic("standings"), producer, idle
        self._worker = ScoringWorker(store, settings, (), trusted=False, publish=self._publish)
        self._trust = Trust(settings)
        self._sent: list[Any] = []  # published, and not known to be delivered
        self._positions: dict[int, int] = {}  # next sample offset of each partition
        self._event_times: dict[int, int] = {}
        self._judged: dict[int, tuple[int, int]] = {}  # (judgement, version) of the last one
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

    def assigned(self, places: Sequence[Place]) -> None:
        """Rebuild the columns of partitions that arrived."""
        for _, partition in places:
            begun, end = time.monotonic(), patiently(self.intake.committed, ("samples", partition))
            self._positions[partition] = end
            self._event_times[partition], self._judged[partition] = patiently(self._known_of, partition, end)
            left = max(self._event_times[partition] - self._settings.responses.horizon, 0)
            patiently(self._worker.rebuild, {partition: end}, self._worker.version, {partition: left})
            patiently(self._worker.write_again, partition, end)
            took = time.monotonic() - begun
            count = len(self._worker.rows[partition])
            _LOG.info("owns partition %d from offset %d: %d samples rebuilt in %.1f s", partition, end, count, took)
        self._again = patiently(self._worker.due, self._positions)
        self._last_record = time.monotonic()

    def revoked(self, places: Sequence[Place]) -> None:
        """Forget partitions that another worker owns from now on."""
        for _, partition in places:
            self._worker.disown(partition)
            for known in (self._positions, self._event_times, self._judged):
                known.pop(partition, None)
        self._again = []

    def take_up(self, announced: Announcement, *, first: bool) -> None:
        """Use an announced version; unless it is the first this program sees, score the canaries again at once."""
        before = self.version
        active = patiently(load_active, self._versions, announced.version, self._settings)
        self._worker.use(announced.version, active, self._versions.manifest(announced.version).scale)
        _LOG.info("took up version %d", announced.version)
        if first:
            return
        for version in range(before + 1, announced.version + 1):  # this worker may have missed some
            patiently(self._worker.mark_drawn, version)
        due = patiently(self._worker.due, self._positions)
        self._score([sample for sample in due if sample.part == "canary"])
        self._again = [sample for sample in due if sample.part != "canary"]

    def step(self) -> None:
        """Take one batch, or use the time."""
        if batch := self.intake.next_batch():
            self._last_record = time.monotonic()
            self._take([record for _, record in batch])
            self._delivered()
            if not patiently(self.intake.commit):
                _LOG.info("the partitions went to another worker; it scores this batch again")
        elif self._again:
            chunk, self._again = self._again[:_CHUNK], self._again[_CHUNK:]
            self._score([sample for sample in chunk if sample.partition in self._positions])
        elif time.monotonic() - self._last_record > self._idle:
            for partition, end in self._positions.items():
                if end and self._judged[partition] != (end, self.version):
                    self._judge(partition, end)
            self._delivered()

    def _take(self, records: Sequence[Any]) -> None:
        """Score records in their order; a judgement falls between those before its offset and those after."""
        every = self._settings.standing.judge_every
        waiting: list[PlacedSample] = []
        for record in records:
            if record.partition not in self._positions:  # not ours any more
                continue
            fixed = record.offset // every * every
            if fixed > max(self._judged[record.partition][0], 0):
                self._score(waiting)
                waiting = []
                self._judge(record.partition, fixed)
            read = read_message(record.value, decode_samples, f"samples/{record.partition} at {record.offset}")
            samples = [self._stored(sample, record) for sample in read or ()]
            waiting += samples
            # subtle: only of those that get a response, so that whoever rebuilds from the history has the same event time
            newest = max((sample.event_time for sample in samples if sample.part in SCORED), default=0)
            self._event_times[record.partition] = max(self._event_times[record.partition], newest)
            self._positions[record.partition] = record.offset + 1
        self._score(waiting)

    def _score(self, samples: Sequence[PlacedSample]) -> None:
        newest: dict[Any, int] = {}
        new: list[PlacedSample] = []
        for (
            one
        ) in samples:  # what comes twice, and what is outdated, is let go here as it would be from one batch to the next
            if one.label_version > newest.get(one.sample_id, -1):
                newest[one.sample_id] = one.label_version
                new.append(one)
        some = self._worker.unscored(new)
        if some:
            patiently(self._worker.score, some)
            self.scored += len(some)

    def _judge(self, partition: int, end: int) -> None:
        patiently(self._worker.judge, partition, end, self._event_times[partition])
        self._judged[partition] = end, self.version
        self.judgements += 1

    def _known_of(self, partition: int, end: int) -> tuple[int, tuple[int, int]]:
        """Largest event time before an offset, and the last judgement there."""
        judged = self._store.rows(
            """SELECT judgement, version, toUnixTimestamp64Milli(event_time) FROM judgements FINAL
               WHERE partition = {partition:UInt32} AND judgement <= {end:UInt64} ORDER BY judgement DESC LIMIT 1""",
            partition=partition,
            end=end,
        )
        scored = self._store.rows(
            """SELECT toUnixTimestamp64Milli(max(event_time)) FROM responses
               WHERE partition = {partition:UInt32} AND offset < {end:UInt64}""",
            partition=partition,
            end=end,
        )
        judgement, version, event_time = judged[0] if judged else (0, -1, 0)
        return max(event_time, scored[0][0]), (judgement, version)

    def _stored(self, sample: Sample, record: Any) -> PlacedSample:
        trust = self._trust
        part, label = trust.part_of(sample.sample_id, sample.question_id), trust.label_of(sample.sample_id)
        return PlacedSample.of(sample, record.partition, record.offset, part, label)

    def _publish(self, standings: Sequence[KeptStanding]) -> None:
        for one in standings:
            to = {"key": one.sample_id.bytes, "partition": one.partition}
            self._sent.append(self._producer.send(self._topic, encode(PublishedStanding.of(one._asdict())), **to))

    def _delivered(self) -> None:
        """Return once the broker has all that was published; raise what a send raised."""
        self._producer.flush()
        for sent in self._sent:
            sent.get(timeout=60)
        self._sent = []
