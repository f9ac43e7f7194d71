"""The scoring worker: from samples to responses, importance and standings, for its partitions.

It writes to the history first and to its rows then. So the rows never know more than the history,
and `rebuild` makes equal rows from it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mainstem.importance import Rows
from mainstem.join import PlacedSample, examples_of
from mainstem.kinds import Kind, KindScale
from mainstem.models import ActiveVersion
from mainstem.process.stopwatch import SPENT
from mainstem.responses import Responses
from mainstem.scoring.answered import Answered
from mainstem.scoring.costs import visit_costs
from mainstem.scoring.evidence import is_worth_it
from mainstem.scoring.finite import finite_only
from mainstem.scoring.held import apart, is_scored
from mainstem.scoring.judging import At, Judging, Publish
from mainstem.scoring.kinds import kind_of
from mainstem.scoring.rebuilding import rebuilt
from mainstem.scoring.rescoring import due_again, unscored
from mainstem.scoring.scale import mean_norm
from mainstem.scoring.shadow import shadow_of
from mainstem.settings import Settings
from mainstem.standing import Judgement
from mainstem.store import Store
from mainstem.store.costs import RESCORE, SCORE
from mainstem.store.draws import drawn_for_promoted

__all__ = ["Judge", "ScoringWorker"]

_FULL_AT_FIRST: Final = 256  # visits of each partition by a version without a measured scale
Judge: TypeAlias = Callable[[int, int, int], Judgement | None]
"""Judges a partition at a position and an event time; None if it is not worth it yet."""


class ScoringWorker:
    """The rows of some partitions, and the version in use.

    Args:
        store: the history.
        settings: settings with budgets and thresholds.
        partitions: partitions that the worker owns at first.
        trusted: whether the canaries' labels are trusted, and not only assumed.
        publish: receives new standings after they are in the history.

    Attributes:
        rows: rows of each partition that the worker owns.
        held: for each of these partitions the rows of confirmed samples of direction and gate.
        left: for each of these partitions the event time before which rows were dropped.
        version: number of the version in use.
        scale: number that its norms are divided by; None before it has scored a sample.
        kinds: how norms of cheaper kinds stand to its full ones, by kind; it makes full visits
            where a kind is missing.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        partitions: Iterable[int],
        *,
        trusted: bool,
        publish: Publish = lambda standings: None,  # noqa: ARG005 - publishes nothing
    ) -> None:
        self._shadow, sketch = shadow_of(settings), settings.responses.sketch
        self.rows = {one: Rows(sketch=sketch, beside=self._shadow) for one in partitions}
        self.held = {partition: Rows() for partition in self.rows}
        self.left: dict[int, int] = dict.fromkeys(self.rows, 0)
        self.version = 0
        self.scale: float | None = None
        self.kinds: Mapping[str, KindScale] = {}
        self.is_measured = True
        self.trusted = trusted
        self._store = store
        self._settings = settings
        self._judging = Judging(store, settings, publish, self._shadow)
        self._active: ActiveVersion | None = None

    @property
    def active(self) -> ActiveVersion:
        """The version in use, ready to score."""
        if self._active is None:
            msg = "no version has been taken up yet"
            raise RuntimeError(msg)
        return self._active

    def use(
        self,
        version: int,
        active: ActiveVersion,
        scale: float | None,
        kinds: Mapping[str, KindScale],
        *,
        is_measured: bool = True,
    ) -> None:
        """Continue with a version that was taken up before, with its scales; see `take_up`.

        Args:
            version, active, scale, kinds: see `take_up`.
            is_measured: whether the scale was measured when the version was made. If not, it is
                that of the first samples, and the first 256 visits of each partition are full.
        """
        self.version, self._active, self.scale, self.kinds = version, active, scale, kinds
        self.is_measured = is_measured

    def take_up(
        self,
        version: int,
        active: ActiveVersion,
        ends: Mapping[int, int],
        scale: float | None,
        kinds: Mapping[str, KindScale],
    ) -> int:
        """Take up a new version: score trusted and the newest samples again.

        Args:
            version: number of the version.
            active: the version, ready to score.
            ends: position of the next sample of each partition.
            scale: number that its norms are divided by; None if it is unknown.
            kinds: how norms of cheaper kinds stand to its full ones, by kind.

        Returns:
            The number of samples that were scored again.
        """
        self.use(version, active, scale, kinds)
        known = self.due(ends)
        self.score(known, again=True)
        return len(known)

    def due(self, ends: Mapping[int, int]) -> list[PlacedSample]:
        """The samples that the version in use should score again; see `due_again`."""
        return due_again(self._store, self._settings, self.rows, self.held, self.version, ends)

    def unscored(self, samples: Sequence[PlacedSample]) -> list[PlacedSample]:
        """The samples whose label is not outdated and that the version in use has not scored."""
        return unscored(self.rows, self.held, self.version, samples)

    def score(self, samples: Sequence[PlacedSample], *, again: bool = False) -> None:
        """Score samples by the version in use: one visit each.

        Samples of direction and gate that nobody confirmed are skipped.

        Args:
            samples: samples to score.
            again: whether an earlier version has scored them. Then the visits of the stream's
                samples are of the kind `next_visit`, not `first_visit`, and the cost of all is of
                another kind. Trusted samples are visited as most samples are, which are held
                against them.
        """
        settings, stage = self._settings.responses, RESCORE if again else SCORE
        asked: dict[str, list[PlacedSample]] = {}
        for sample in samples:
            if is_scored(sample):
                is_next = again and sample.part == "stream"
                kind = settings.next_visit if is_next else settings.first_visit
                is_full = not self.is_measured and sample.offset < _FULL_AT_FIRST
                asked.setdefault(Kind.FULL if is_full else kind, []).append(sample)
        with SPENT.on(stage):
            for kind, taken in asked.items():
                self._score(taken, stage, kind)

    def _score(self, taken: Sequence[PlacedSample], stage: str, asked: str) -> None:
        # the scale can be taken of full norms only
        kind = Kind.FULL if self.scale is None else kind_of(asked, self.kinds)
        found = self._passed(taken, stage, kind)
        taken, found = finite_only(taken, found, self.version)
        if not taken:
            return
        if self.scale is None:
            self.scale = mean_norm(found, taken)
        cheaper = None if kind is Kind.FULL else (kind, self.kinds[kind])
        answered = Answered.by(self.version, self.scale, taken, found, cheaper)
        answered.keep(self._store, self._settings.responses.representations_ttl)
        for partition, visits in answered.visits():
            for rows, some in apart(visits, self.rows[partition], self.held[partition]):
                rows.visit(some)

    def _passed(
        self, samples: Sequence[PlacedSample], stage: str, kind: Kind
    ) -> Responses[NDArray[np.float32]]:
        """The responses of samples at the version in use; what they cost is written."""
        with SPENT.counting() as counted, SPENT.on(stage):
            read = self.active.read(examples_of(samples, weighed=False))
            found = self.active.responses(read, kind=kind)
        # subtle: before the responses, because a sample that has one is not scored again
        spent = visit_costs(self.version, stage, samples, read.lengths, counted[stage])
        self._store.write("costs", spent)
        return found

    def judge(self, partition: int, end: int, event_time: int, *, last: bool = False) -> Judgement:
        """Judge a partition; write the judgement, the new standings and the moves.

        Args:
            partition: number of the partition.
            end: position of the judgement.
            event_time: largest event time so far, in milliseconds.
            last: whether the log ends here; then standings that did not move are written too.
        """
        rows, held = self._leave(partition, event_time)
        at = At(partition, end, event_time, self.version)
        return self._judging.judge(rows, held, at, trusted=self.trusted, last=last)

    def judge_in_turn(self, partition: int, end: int, event_time: int) -> Judgement | None:
        """Judge a partition where the schedule has a judgement, if it is worth it.

        Args:
            partition: number of the partition.
            end: position of the judgement, a multiple of `judge_every`.
            event_time: largest event time so far, in milliseconds.

        Returns:
            The judgement; None if a large partition has too few new samples, see `is_worth_it`.
        """
        if not is_worth_it(*self._leave(partition, event_time), end, self._settings):
            return None
        return self.judge(partition, end, event_time)

    def _leave(self, partition: int, event_time: int) -> tuple[Rows, Rows]:
        """Drop the rows of a partition that are beyond the horizon."""
        self.left[partition] = max(event_time - self._settings.responses.horizon, 0)
        rows, held = self.rows[partition], self.held[partition]
        for some in (rows, held):
            some.leave(self.left[partition])
        return rows, held

    def write_again(self, partition: int, judgement: int) -> None:
        """Write and publish the moves of a judgement again; see `Judging.write_again`."""
        self._judging.write_again(partition, judgement)

    def mark_drawn(self, version: int) -> None:
        """Mark the samples that a promoted version was trained on."""
        drawn = drawn_for_promoted(self._store, version).get(version, [])
        for rows in self.rows.values():
            rows.mark_drawn(drawn)

    def rebuild(self, ends: Mapping[int, int], version: int, left: Mapping[int, int]) -> None:
        """Rebuild the rows from the history.

        Args:
            ends: for each partition the position of the next sample; only earlier samples count.
            version: number of the last version whose responses count.
            left: for each partition the event time before which rows were dropped.
        """
        self.left |= left
        found = rebuilt(
            self._store,
            ends,
            version,
            left=self.left,
            sketch=self._settings.responses.sketch,
            beside=self._shadow,
        )
        self.rows |= found.rows
        self.held |= found.held

    def disown(self, partition: int) -> None:
        """Forget a partition that another worker owns now."""
        self.rows.pop(partition, None)
        self.held.pop(partition, None)
        self.left.pop(partition, None)
