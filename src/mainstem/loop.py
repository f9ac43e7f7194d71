"""The embedded loop: the whole way of the data in one process, top to bottom.

    a line of the log -> event -> (join) -> sample -> (score) -> response -> importance -> (judge) -> standing
                                                                     every so often: (round) -> version

A block of lines is the unit of doing again: it is joined, written, scored, judged and learnt from, and only then comes the
checkpoint. A crash anywhere is answered by doing the block again from the last checkpoint, with the same results.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, Protocol

import msgspec

from mainstem.embedded.home import Checkpoint, Home
from mainstem.errors import LogError
from mainstem.events import decode
from mainstem.events.known_log import OpenedLog
from mainstem.events.survey import belongs_to_items
from mainstem.join import Catalogue, Joiner, LedgerRow, Output, PlacedSample, Rejection, Sample, rejection_of
from mainstem.join.ledger import BLOCK, block_of, new_counts
from mainstem.join.route import partition_of_question, partitions_of_event
from mainstem.learning import Learner, Position, Round
from mainstem.learning.draws import RowsPool
from mainstem.scoring import ScoringWorker
from mainstem.settings import Settings
from mainstem.standing import Judgement  # noqa: TC001 - beside what is needed when it runs
from mainstem.store import Store
from mainstem.store.rewinding import rewind
from mainstem.store.writes import item_columns, ledger_columns, rejection_columns, sample_columns, trusted_columns
from mainstem.trusted import Trust
from mainstem.versions import Versions, load_active

__all__ = ["Loop", "Watcher"]

Relabel = Callable[[Sample, str], Sample]
_BETWEEN_GRADED: Final = 10  # samples of the stream between two graded ones


class Watcher(Protocol):
    """Is told how a replay goes."""

    def block_done(self, loop: "Loop", line: int) -> None:
        """The log is done up to `line`."""

    def round_done(self, done: Round) -> None:
        """A round ended, promoted or not."""


class Loop:
    """One replay of one log into one home.

    Args:
        log: JSON lines, that were read once, items first, and are read again.
        home: where checkpoints are kept.
        store, versions: the home's history and models; version 0 must be there.
        settings: settled (`questions` is not `auto`).
        key: secret of the pseudonyms.
        watcher: is told of progress.
        learn: whether rounds are run.
        trust: trusted samples.
        graded: text pairs that came with their grade, put in between the samples of the stream.
        planted: whether the labels of the slices that stand in for trusted samples are believed.
        relabel: changes a sample's label on its way in, given its part; for planting errors.
    """

    def __init__(
        self,
        log: OpenedLog,
        home: Home,
        store: Store,
        versions: Versions,
        settings: Settings,
        key: bytes,
        watcher: Watcher,
        *,
        learn: bool = True,
        trust: Trust,
        graded: Sequence[Sample] = (),
        planted: bool = False,
        relabel: Relabel = lambda sample, part: sample,  # noqa: ARG005
    ) -> None:
        self.settings, self.surveyed, self.store, self.versions = settings, log.survey, store, versions
        self.later_from = log.survey.later_from(settings.join.questions, settings.learning.later_share)
        self.worker = ScoringWorker(store, settings, range(settings.join.partitions), trusted=planted or trust.is_own)
        self.judged: dict[int, Judgement] = {}
        self.ledger: dict[tuple[str, int], LedgerRow] = {}  # the newest row of each partition
        self._log, self._home, self._watcher, self._learn = log, home, watcher, learn
        self._trust, self._graded, self._planted, self._relabel, self._key = trust, graded, planted, relabel, key
        self._learner = Learner(store, versions, settings)
        catalogue = Catalogue()
        for item in log.survey.items:
            catalogue.add(item)
        self.home = home.folder
        self._joiners = [Joiner(partition, settings, catalogue, key) for partition in range(settings.join.partitions)]
        self.ends = dict.fromkeys(range(settings.join.partitions), 0)  # next sample offset of each partition
        self._event_times = dict.fromkeys(self.ends, 0)  # largest of a sample, in each partition
        self._counted = self._rounds = 0

    @property
    def samples(self) -> int:
        """Samples so far, every label version counted."""
        return sum(self.ends.values())

    @property
    def ledger_now(self) -> list[LedgerRow]:
        """The ledger of `events` as it stands, between two rows of the history."""
        return [joiner.ledger_row() for joiner in self._joiners]

    @property
    def trust(self) -> Trust:
        """The trusted samples that it was given."""
        return self._trust

    def run(self) -> None:
        """Replay the log from the last checkpoint to its end."""
        line = self._resume()
        self._read_items()
        block: list[bytes] = []
        for block in _blocks(self._log.lines(line), self.settings.run.checkpoint_every):
            self._take(self._join(block))
            line += len(block)
            if line < self._log.end.lines:  # subtle: the last line may be half-written, and is done again when it is whole
                self._checkpoint(line)
            self._watcher.block_done(self, line)
        if line != self._log.end.lines:
            msg = f"the log lost lines while it was read ({line:,} of {self._log.end.lines:,} were there); replay it again"
            raise LogError(msg)
        self._home.save_end(self._log.past(block))
        self._finish()

    def _join(self, block: Iterable[bytes]) -> Iterator[Output]:
        for raw in block:
            event = decode(raw)
            if belongs_to_items(event, raw):
                continue  # read already
            for partition in partitions_of_event(event, len(self._joiners)):
                joiner = self._joiners[partition]
                yield from joiner.step(joiner.next_offset, event)

    def _take(self, outputs: Iterable[Output]) -> None:
        """Write what the joiners gave, then score, judge and learn at the fixed positions in it."""
        kinds: dict[type, list[Output]] = {Sample: [], Rejection: [], LedgerRow: []}
        for output in outputs:
            kinds[type(output)].append(output)
        self._keep_ledger(kinds[LedgerRow], kinds[Rejection])  # type: ignore[arg-type]  # told apart by type
        waiting: list[PlacedSample] = []
        for sample in self._store_samples(kinds[Sample]):  # type: ignore[arg-type]
            waiting.append(sample)
            self.ends[sample.partition] += 1
            self._event_times[sample.partition] = max(self._event_times[sample.partition], sample.event_time)
            may_be_learnt = sample.event_time < self.later_from
            self._counted += may_be_learnt
            judge = self.ends[sample.partition] % self.settings.standing.judge_every == 0
            learn = self._learn and may_be_learnt and self._counted % self.settings.learning.round_every == 0
            if judge or learn or len(waiting) == 4 * self.settings.responses.score_batch:
                self.worker.score(waiting)
                waiting = []
            if judge:
                self._judge(sample.partition)
            if learn:
                self._round()
        self.worker.score(waiting)

    def _store_samples(self, samples: list[Sample]) -> list[PlacedSample]:
        """Give each sample its place and its part, and write them all."""
        ends, trust = dict(self.ends), self._trust
        placed: list[tuple[Sample, int, int]] = []
        parts: list[str] = []
        for given in self._with_graded(samples):
            partition = partition_of_question(given.question_id, self.settings.join.partitions)
            part = trust.part_of(given.sample_id, given.question_id)
            placed.append((self._relabel(given, part), partition, ends[partition]))
            parts.append(part)
            ends[partition] += 1
        self.store.write("samples", sample_columns(placed))
        labels = [trust.label_of(sample.sample_id) for sample, _, _ in placed]
        trusted = [
            (sample.sample_id, part, "planted" if self._planted else trust.origin_of(sample.sample_id), label)
            for (sample, _, _), part, label in zip(placed, parts, labels, strict=True)
            if part != "stream"
        ]
        self.store.write("trusted", trusted_columns(trusted))
        return [PlacedSample.of(*place, part, label) for place, part, label in zip(placed, parts, labels, strict=True)]

    def _with_graded(self, samples: Iterable[Sample]) -> Iterator[Sample]:
        """The samples, and after every few a graded one at its event time, until there are no more."""
        graded = min(self.samples // (_BETWEEN_GRADED + 1), len(self._graded))  # so far
        count = self.samples - graded
        for sample in samples:
            yield sample
            count += 1
            if count % _BETWEEN_GRADED == 0 and graded < len(self._graded):
                yield msgspec.structs.replace(self._graded[graded], event_time=sample.event_time)
                graded += 1

    def _judge(self, partition: int, *, last: bool = False) -> None:
        at = self.ends[partition], self._event_times[partition]
        self.judged[partition] = self.worker.judge(partition, *at, last=last)

    def _round(self) -> None:
        worker, self._rounds = self.worker, self._rounds + 1
        position = Position(dict(self.ends), max(self._event_times.values()), self.later_from)
        pool = RowsPool([worker.rows[partition] for partition in sorted(worker.rows)])
        done = self._learner.round(self._rounds, worker.version, worker.active, pool, position)
        if done.active:
            for columns in worker.rows.values():
                columns.mark_drawn(done.drawn)
            worker.take_up(done.version, done.active, self.ends, done.scale)
        self._watcher.round_done(done)

    def _checkpoint(self, line: int) -> None:
        self._home.save(
            Checkpoint(
                line=line,
                snapshots=[joiner.snapshot() for joiner in self._joiners],
                ends=self.ends,
                left=self.worker.left,
                event_times=self._event_times,
                counted=self._counted,
                version=self.worker.version,
                scale=self.worker.scale,
                rounds=self._rounds,
            )
        )

    def _resume(self) -> int:
        """Go back to the last checkpoint; gives the line to go on from."""
        at = self._home.checkpoint()
        if at:
            for joiner, snapshot in zip(self._joiners, at.snapshots, strict=True):
                joiner.restore(snapshot)
            self.ends, self._event_times, self._counted, self._rounds = (
                dict(at.ends),
                dict(at.event_times),
                at.counted,
                at.rounds,
            )
        version, scale = (at.version, at.scale) if at else (0, self.versions.manifest(0).scale)
        rewind(self.store, self.ends, self._rounds)
        self.versions.forget_after(self._rounds)
        self.worker.use(version, load_active(self.versions, version, self.settings), scale)
        if at:
            self.worker.rebuild(at.ends, at.version, at.left)
        return at.line if at else 0

    def _read_items(self) -> None:
        """Topic `items`: what the survey read of it goes to the history."""
        found = self.surveyed
        counts = new_counts() | {"accepted": len(found.items), "rejected": len(found.refused_items)}
        read = counts["accepted"] + counts["rejected"]
        row = LedgerRow(topic="items", partition=0, block=block_of(read), next_offset=read, counts=counts)
        rejections = [rejection_of(refusal, "items", 0, offset, self._key) for offset, refusal in found.refused_items]
        for start in range(0, len(found.items), 10 * BLOCK):
            self.store.write("items", item_columns(found.items[start : start + 10 * BLOCK]))
        self._keep_ledger([row], rejections)

    def _keep_ledger(self, rows: list[LedgerRow], rejections: list[Rejection]) -> None:
        self.store.write("rejected", rejection_columns(rejections))
        self.store.write("ledger", ledger_columns(rows))
        self.ledger.update({(row.topic, row.partition): row for row in rows})

    def _finish(self) -> None:
        """A final tick closes what is open, on copies of the joiners, and every partition is judged a last time."""
        windows = self.settings.join.label_window + self.settings.join.grace
        for joiner in self._joiners:
            _, outputs = joiner.closed(self.surveyed.newest + windows + 1)
            self._take(outputs)
        for partition in self.ends:
            self._judge(partition, last=True)


def _blocks(lines: Iterator[bytes], size: int) -> Iterator[list[bytes]]:
    while block := list(islice(lines, size)):
        yield block
