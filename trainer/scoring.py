"""The scoring worker beside Kafka scores and judges the samples of its partitions, then commits.

When the group assigns a partition to the worker, it rebuilds the rows from the history up to the
group's commit, so it does not matter which worker had the partition before. The schedule says at
which positions to judge. A partition is also judged at its end, once no samples come any more. The
note of a commit holds the position of the partition. Positions count samples that are accepted for
the first time, so a record that is delivered again does not change them.
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
from mainstem.kafka.messages import Announcement
from mainstem.kafka.outages import patiently
from mainstem.scoring import Accepted, Reached, Schedule, ScoringWorker, first_times
from mainstem.scoring.features import with_features
from mainstem.scoring.turns import Turns
from mainstem.scoring.worker import Judge
from mainstem.settings import Settings
from mainstem.store import Store
from mainstem.store.judged import JudgedAt, last_judgement
from mainstem.store.positions import adopt_offsets, ends_of_positions
from mainstem.store.turns import AGAIN, JUDGE, TAKE_UP
from mainstem.store.writes import position_columns
from mainstem.trusted import Confirmed, Trust
from mainstem.versions import Versions, load_active

from .outgoing import Outgoing
from .waiting import Brought, Waiting

__all__ = ["ScoringProgram"]

_LOG = logging.getLogger("mainstem.score")
_CHUNK: Final = 512  # samples that are scored again between two looks for new samples
_NO_JUDGEMENT: Final = JudgedAt(0, -1)


class ScoringProgram:
    """A `ScoringWorker` that gets its samples from a topic.

    Args:
        store: the history.
        versions: the versions on disk or S3.
        settings: settings of scoring and judging.
        broker: broker of the topics `standings` and `schedule`.
        producer: producer of kafka-python that writes these topics.
        idle: seconds without records after which partitions are judged at their ends.

    Attributes:
        intake: intake of topic `samples`; the caller must set it before the first step.
        scored: number of visits so far.
        judgements: number of judgements so far.
        waiting: what the batch in hand waits for.
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
        self.waiting = Waiting(store, settings)
        self._store, self._versions, self._settings = store, versions, settings
        self._idle, self._outgoing = idle, Outgoing(broker, producer)
        publish = self._outgoing.standings
        self._worker = ScoringWorker(store, settings, (), trusted=False, publish=publish)
        self._trust = Trust(settings)
        self._schedule = Schedule(judge_every=settings.standing.judge_every)
        self._turns = Turns(store, self._outgoing.turns)
        self._accepted: dict[int, Accepted] = {}
        self._judged: dict[int, JudgedAt] = {}  # last judgement of each partition
        self._again: list[PlacedSample] = []  # samples to score again when there is time
        self._held: list[Brought] = []  # a batch that waits for hours to be closed
        self._last_record = time.monotonic()

    @property
    def version(self) -> int:
        """Number of the version in use."""
        return self._worker.version

    def trust(self, confirmed: Sequence[Confirmed]) -> None:
        """Take in trusted samples, which count from now on when samples are scored and judged."""
        for one in confirmed:
            self._trust.take(one)
        self._worker.trusted = self._trust.is_own

    def assigned(self, owned: Sequence[Assigned]) -> None:
        """Take over partitions: rebuild their rows from the history."""
        for _, partition in owned:
            begun = time.monotonic()
            end = self._take_over(partition)
            took, count = time.monotonic() - begun, len(self._worker.rows[partition])
            text = "owns partition %d from position %d: %d samples rebuilt in %.1f s"
            _LOG.info(text, partition, end, count, took)
        self._again = patiently(self._worker.due, self._schedule.ends)
        self._last_record = time.monotonic()
        self._drop_held()

    def _drop_held(self) -> None:
        """Forget the batch in hand, whose records are given out again after a change of owners."""
        self._held = []
        self.waiting.stop()

    def _take_over(self, partition: int) -> int:
        """Rebuild the state of a partition at the group's commit; return the position there."""
        store, worker = self._store, self._worker
        reached = patiently(self._reached_at_commit, partition)
        end = reached.position
        left = max(reached.event_time - self._settings.responses.horizon, 0)
        self._schedule.reached[partition] = reached
        self._judged[partition] = patiently(last_judgement, store, partition, end) or _NO_JUDGEMENT
        patiently(worker.rebuild, {partition: end}, worker.version, {partition: left})
        patiently(worker.write_again, partition, end)
        accepted = Accepted(store, partition, worker.rows[partition])
        self._accepted[partition] = accepted
        patiently(accepted.rebuild, end, left)
        patiently(self._turns.take_over, partition, end, self.version)
        return end

    def revoked(self, owned: Sequence[Assigned]) -> None:
        """Forget partitions that another worker owns from now on."""
        for _, partition in owned:
            self._worker.disown(partition)
            for known in (self._schedule.reached, self._accepted, self._judged):
                known.pop(partition, None)
        self._again = []
        self._drop_held()

    def take_up(self, announced: Announcement, *, first: bool) -> None:
        """Use an announced version from now on.

        Args:
            announced: announcement of the version.
            first: whether it is the first version that this program uses. Otherwise the trusted
                samples are scored again at once, and other samples when there is time.
        """
        before, number = self.version, announced.version
        active = patiently(load_active, self._versions, number, self._settings)
        manifest = self._versions.manifest(number)
        is_measured = manifest.scale is not None
        self._worker.use(number, active, manifest.scale, manifest.kinds, is_measured=is_measured)
        self._publish_scale()
        _LOG.info("took up version %d", number)
        if first:
            return
        for version in range(before + 1, number + 1):  # this worker may have missed some versions
            patiently(self._worker.mark_drawn, version)
        due = patiently(self._worker.due, self._schedule.ends)
        trusted = [sample for sample in due if sample.part != "stream"]
        self._score_again(TAKE_UP, self._schedule.ends, trusted)
        self._again = [sample for sample in due if sample.part == "stream"]

    def step(self) -> None:
        """Score a batch; without one, score samples again or judge partitions at their ends.

        A batch whose features need hours that are not closed yet is held, and nothing is committed.
        """
        if not self._held:
            self._held = [Brought.by(record) for _, record in self.intake.next_batch()]
        if self._held and not self.waiting.lacks(self._held):
            self._last_record = time.monotonic()
            batch, self._held = self._held, []
            ends = self._take(batch)
            self._outgoing.delivered()
            if not patiently(self.intake.commit, self._commits(ends)):
                _LOG.info("partitions went to another worker, which scores this batch again")
            return
        if self._held:
            self.intake.stay()
        if self._again:
            chunk, self._again = self._again[:_CHUNK], self._again[_CHUNK:]
            owned = [sample for sample in chunk if sample.partition in self._schedule.reached]
            mine = self._worker.unscored(owned)
            places = {one.partition: self._schedule.ends[one.partition] for one in mine}
            self._score_again(AGAIN, places, mine)
        elif not self._held and time.monotonic() - self._last_record > self._idle:
            for partition, end in self._schedule.ends.items():
                if end and self._judged[partition] != (end, self.version):
                    patiently(self._turns.write, JUDGE, self.version, {partition: end})
                    self._judge(partition, self._worker.judge)
            self._outgoing.delivered()

    def _take(self, batch: Sequence[Brought]) -> dict[int, int]:
        """Score the samples that come for the first time, in order, and judge where that is due.

        Returns:
            The next offset of each partition.
        """
        # records of partitions that another worker owns by now are left out
        mine = [one for one in batch if one.record.partition in self._schedule.reached]
        brought = [(one.record, sample) for one in mine for sample in one.samples]
        routed = [(record.partition, sample) for record, sample in brought]
        ends, left = self._schedule.ends, self._worker.left
        first = patiently(first_times, self._accepted, routed, ends, left)
        new = [one for one, is_first in zip(brought, first, strict=True) if is_first]
        positions = self._schedule.positions(record.partition for record, _ in new)
        placed = [
            self._stored(sample, record.partition, at)
            for (record, sample), at in zip(new, positions, strict=True)
        ]
        made = [sample for _, sample in new]
        placed = patiently(with_features, self._store, placed, made, self._settings, self.version)
        offsets = iter([record.offset for record, _ in new])
        for run in self._schedule.runs(placed, 4 * self._settings.responses.score_batch):
            self._score(run.samples)
            # subtle: after the responses, because a sample with a position counts as scored, and
            # before the judgement, because that drops rows
            self._keep_positions(run.samples, list(islice(offsets, len(run.samples))))
            if run.due.judge:
                self._judge(run.partition, self._worker.judge_in_turn)
        self._outgoing.accepted(placed)
        return {one.record.partition: one.record.offset + 1 for one in mine}

    def _score(self, samples: Sequence[PlacedSample], *, again: bool = False) -> None:
        if some := self._worker.unscored(samples):
            patiently(self._worker.score, some, again=again)
            self.scored += len(some)
            self._publish_scale()

    def _publish_scale(self) -> None:
        """Publish the scale of the version in use, if it has scored already."""
        if self._worker.scale is not None:
            self._outgoing.scale(self.version, self._worker.scale)

    def _score_again(
        self, kind: str, ends: Mapping[int, int], samples: Sequence[PlacedSample]
    ) -> None:
        patiently(self._turns.write, kind, self.version, ends, samples)
        self._score(samples, again=True)

    def _keep_positions(self, samples: Sequence[PlacedSample], offsets: Sequence[int]) -> None:
        patiently(self._store.write, "positions", position_columns(samples, offsets))
        for sample in samples:
            self._accepted[sample.partition].settle(sample)

    def _judge(self, partition: int, judge: Judge) -> None:
        reached = self._schedule.reached[partition]
        judged = patiently(judge, partition, reached.position, reached.event_time)
        self._accepted[partition].leave(self._worker.left[partition])
        if judged:
            self._judged[partition] = JudgedAt(reached.position, self.version)
            self.judgements += 1

    def _commits(self, ends: Mapping[int, int]) -> dict[Assigned, tuple[int, str]]:
        """What to commit: the next offset of each partition, and a note with its position."""
        reached = self._schedule.reached
        return {
            ("samples", at): (end, msgspec.json.encode(reached[at]).decode())
            for at, end in ends.items()
        }

    def _reached_at_commit(self, partition: int) -> Reached:
        """The position of a partition at the group's commit."""
        offset, note = self.intake.last_commit(("samples", partition))
        with suppress(msgspec.DecodeError):
            return msgspec.json.decode(note, type=Reached)
        # a commit without a note is from another program, or from before commits had notes, when
        # offsets were the positions
        found = ends_of_positions(self._store, before=(partition, offset))
        if not found and offset:
            adopt_offsets(self._store, partition, offset)
            adopted = ends_of_positions(self._store, before=(partition, offset))
            found = [one._replace(position=offset) for one in adopted]
        if not found:
            return Reached()
        return Reached(position=found[0].position, event_time=found[0].event_time)

    def _stored(self, sample: Sample, partition: int, position: int) -> PlacedSample:
        trust = self._trust
        part = trust.part_of(sample.sample_id, sample.question_id)
        label = trust.label_of(sample.sample_id)
        confirmed = trust.is_confirmed(sample.sample_id)
        return PlacedSample.of(sample, partition, position, part, label, confirmed=confirmed)
