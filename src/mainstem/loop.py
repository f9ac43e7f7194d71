"""The embedded loop: the whole path of the data in one process, on one page.

    line of the log -> event -> (join) -> sample -> (score) -> response -> importance
        -> (judge) -> standing; now and then a (round) -> version

The loop takes the log in blocks of lines. It joins, writes, scores, judges and learns from a block,
and then saves a checkpoint. After a crash it takes the block again, with the same results.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Protocol

from mainstem.behaviour import Hour
from mainstem.embedded.arrivals import Arrivals
from mainstem.embedded.checkpoint import Checkpoint
from mainstem.embedded.items import write_items
from mainstem.embedded.joiners import Joiners
from mainstem.embedded.labels import Labels
from mainstem.embedded.opened import Opened
from mainstem.embedded.repetition import Repetition
from mainstem.errors import LogError
from mainstem.events.survey import Survey
from mainstem.join import Catalogue, LedgerRow, Output, Rejection, Sample
from mainstem.learning import Learner, Position, RecordedRounds, Round, begun_again
from mainstem.learning.draws import RowsPool
from mainstem.process.stopwatch import SPENT
from mainstem.scoring import Accepted, Reached, Schedule, ScoringWorker
from mainstem.settings import Settings
from mainstem.standing import Judgement
from mainstem.store import Store
from mainstem.store.counts import write_hours
from mainstem.store.rewinding import rewind
from mainstem.store.writes import ledger_columns, rejection_columns
from mainstem.trusted import Trust
from mainstem.versions import Versions, load_active

__all__ = ["Loop", "Watcher"]


class Loop:
    """One replay of one log into one home.

    Args:
        opened: the log and the home, with the history and the versions of the home.
        settings: settings of the replay, whose `join.questions` may not be `auto`.
        labels: which labels are trusted, and how labels change on their way in.
        watcher: receives the progress.
        learn: whether to run rounds.
        again: recorded rounds to go through again, instead of new ones.
        repeat: order and schedule of a deployment. The loop repeats them once the whole log is
            joined, instead of scoring, judging and learning by itself.

    Attributes:
        settings: settings of the replay.
        judged: last judgement of each partition.
        ledger: newest row of the ledger, by topic and partition.
        later_from: event time in milliseconds from which samples are never trained on.
        worker: scores and judges all partitions.
    """

    _schedule: Schedule
    _arrivals: Arrivals
    _rounds: int  # number of rounds so far, promoted or not

    def __init__(
        self,
        opened: Opened,
        settings: Settings,
        labels: Labels,
        watcher: "Watcher",
        *,
        learn: bool = True,
        again: RecordedRounds | None = None,
        repeat: Repetition | None = None,
    ) -> None:
        self.settings, self.judged = settings, dict[int, Judgement]()
        self.ledger: dict[tuple[str, int], LedgerRow] = {}
        survey, partitions = opened.log.survey, range(settings.join.partitions)
        self.later_from = survey.later_from(settings.join.questions, settings.learning.later_share)
        self.worker = ScoringWorker(opened.store, settings, partitions, trusted=labels.believed)
        self._opened, self._labels, self._watcher, self._learn = opened, labels, watcher, learn
        self._repeat, self._again = repeat, again
        self._learner = again or Learner(opened.store, opened.versions, settings, opened.tracker)
        catalogue = Catalogue()
        for item in survey.items:
            catalogue.add(item)
        self._joiners = Joiners(settings, catalogue, opened.key)
        self._accepted: dict[int, Accepted] = {}
        self._follow(None)

    def run(self) -> None:
        """Replay the log from the last checkpoint to its end, or up to the line asked for.

        Raises:
            LogError: if the log loses lines while it is read.
        """
        log, until, block = self._opened.log, self._opened.until, list[bytes]()
        stop, every = log.end.lines if until is None else until, self.settings.run.checkpoint_every
        line = self._resume()
        row, rejections = write_items(self.store, self.surveyed, self._opened.key)
        self._keep_ledger([row], rejections)
        for block in _blocks(islice(log.lines(line), stop - line), every):
            self._take(self._joiners.join(block))
            line += len(block)
            # subtle: there is no checkpoint after the last line, which may be half-written, nor
            # after a short block, because the samples of a whole block are scored together
            if line < log.end.lines and len(block) == every and not self._repeat:
                self._checkpoint(line)
            self._watcher.block_done(self, line)
        if line != stop:
            msg = (
                f"the log lost lines while it was read ({line:,} of {stop:,} were there); "
                "replay it again"
            )
            raise LogError(msg)
        if until is None:
            self._opened.home.save_end(log.past(block))
            self._finish()
        else:
            self._keep_ledger(self.ledger_now, [])

    def _take(self, outputs: Iterable[Output]) -> None:
        """Write the joiners' outputs; score, judge and learn at the positions of the schedule."""
        kinds: dict[type, list[Output]] = {Sample: [], Rejection: [], LedgerRow: [], Hour: []}
        with SPENT.on("join"):
            for output in outputs:
                kinds[type(output)].append(output)
        self._keep_ledger(kinds[LedgerRow], kinds[Rejection])  # type: ignore[arg-type]  # by type
        write_hours(self.store, kinds[Hour])  # type: ignore[arg-type]  # by type
        new: list[Sample] = kinds[Sample]  # type: ignore[assignment]  # by type
        samples = self._arrivals.take_in(new, self._accepted, self.worker.left, self.worker.version)
        for run in self._schedule.runs(samples, 4 * self.settings.responses.score_batch):
            self.worker.score(run.samples)
            if run.due.judge:
                self._judge(run.partition)
            if run.due.learn:
                self._round()
        for sample in samples:
            self._accepted[sample.partition].settle(sample)

    def _judge(self, partition: int, *, last: bool = False) -> None:
        at = self._schedule.reached[partition]
        judge = partial(self.worker.judge, last=True) if last else self.worker.judge_in_turn
        if judged := judge(partition, at.position, at.event_time):
            self.judged[partition] = judged
        self._accepted[partition].leave(self.worker.left[partition])

    def _round(self) -> None:
        worker, schedule, self._rounds = self.worker, self._schedule, self._rounds + 1
        position = Position(schedule.ends, max(schedule.event_times.values()), self.later_from)
        pool = RowsPool([worker.rows[partition] for partition in sorted(worker.rows)])
        begin = partial(self._learner.round, self._rounds, worker.version, worker.active)
        done = begun_again(partial(begin, pool, position))
        if done.active:
            for rows in worker.rows.values():
                rows.mark_drawn(done.drawn)
            worker.take_up(done.version, done.active, schedule.ends, done.scale, done.made.kinds)
        self._watcher.round_done(done)

    def _checkpoint(self, line: int) -> None:
        self._opened.home.save(
            Checkpoint(
                line=line,
                snapshots=self._joiners.snapshots(),
                ends=self._schedule.ends,
                left=self.worker.left,
                event_times=self._schedule.event_times,
                counted=self._schedule.counted,
                version=self.worker.version,
                scale=self.worker.scale,
                rounds=self._rounds,
            )
        )

    def _resume(self) -> int:
        """Go back to the last checkpoint, and return the number of lines that are done."""
        if at := self._opened.home.checkpoint():
            self._joiners.restore(at.snapshots)
            self._follow(at)
        its = self.versions.manifest(at.version if at else 0)
        rewind(self.store, self._schedule.ends, self._rounds, self.open_hours)
        self.versions.forget_after(self._rounds)
        active, scale = load_active(self.versions, its.version, self.settings), (at or its).scale
        self.worker.use(its.version, active, scale, its.kinds, is_measured=its.scale is not None)
        if at:
            self.worker.rebuild(at.ends, at.version, at.left)
        for partition, end in self._schedule.ends.items():
            self._accepted[partition] = Accepted(self.store, partition, self.worker.rows[partition])
            self._accepted[partition].rebuild(end, self.worker.left[partition])
        return at.line if at else 0

    def _follow(self, at: Checkpoint | None) -> None:
        """Set the schedule to a checkpoint, or to the start."""
        settings = self.settings
        self._rounds = at.rounds if at else self._repeat.rounds if self._repeat else 0
        reached = {partition: Reached() for partition in range(settings.join.partitions)}
        if at:
            reached = {
                one: Reached(position=at.ends[one], event_time=at.event_times[one])
                for one in reached
            }
        self._schedule = Schedule(
            judge_every=settings.standing.judge_every,
            round_every=settings.learning.round_every if self._learn else 0,
            later_from=self.later_from,
            rounds_at=self._again.rounds_at if self._again else None,
            reached=reached,
            counted=at.counted if at else 0,
        )
        arrivals = self._repeat.arrivals if self._repeat else Arrivals
        self._arrivals = arrivals(self.store, self._labels, self._schedule, settings)

    def _keep_ledger(self, rows: list[LedgerRow], rejections: list[Rejection]) -> None:
        self.store.write("rejected", rejection_columns(rejections))
        self.store.write("ledger", ledger_columns(rows))
        self.ledger.update({(row.topic, row.partition): row for row in rows})

    def _finish(self) -> None:
        """Close all open questions by a final tick, on copies of the joiners, and judge again."""
        closed = self._joiners.closed(self.surveyed.newest)
        # subtle: features of a sample add up the hours of all partitions, so these come first
        write_hours(self.store, [one for some in closed for one in some if isinstance(one, Hour)])
        for outputs in closed:
            self._take([one for one in outputs if not isinstance(one, Hour)])
        if self._repeat:
            for one in self._repeat.run(self.store, self.settings, self.worker):
                self._schedule.reached[one.partition] = one.reached
                if one.judged:
                    self.judged[one.partition] = one.judged
            return
        for partition in self._schedule.reached:
            self._judge(partition, last=True)

    @property
    def opened(self) -> Opened:
        """The log and the home, with the history and the versions of the home."""
        return self._opened

    @property
    def surveyed(self) -> Survey:
        """The survey of the log, made by its first reading."""
        return self._opened.log.survey

    @property
    def store(self) -> Store:
        """The history."""
        return self._opened.store

    @property
    def versions(self) -> Versions:
        """The versions."""
        return self._opened.versions

    @property
    def home(self) -> Path:
        """The folder of the home."""
        return self._opened.home.folder

    @property
    def trust(self) -> Trust:
        """The trusted samples of the replay."""
        return self._labels.trust

    @property
    def samples(self) -> int:
        """Number of samples so far, counting every label version."""
        return sum(self._schedule.ends.values())

    @property
    def ends(self) -> dict[int, int]:
        """The next sample position of each partition."""
        return self._schedule.ends

    @property
    def ledger_now(self) -> list[LedgerRow]:
        """The present ledger of `events`, which the history gets only at the end of a block."""
        return self._joiners.ledger

    @property
    def open_hours(self) -> Mapping[int, int]:
        """The first hour of each partition whose counts are not closed."""
        return self._joiners.open_hours


class Watcher(Protocol):
    """Receives the progress of a replay."""

    def block_done(self, loop: Loop, line: int) -> None:
        """Called after each block, when the first `line` lines of the log are done."""

    def round_done(self, done: Round) -> None:
        """Called after each round, whether its version was promoted or not."""


def _blocks(lines: Iterator[bytes], size: int) -> Iterator[list[bytes]]:
    while block := list(islice(lines, size)):
        yield block
