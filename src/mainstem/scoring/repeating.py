"""Repeats one partition of a recorded schedule: the same visits and judgements, at their positions.

Samples may be scored together in other groups, which changes only the last bits of a response. If
a worker died and another one took over with a newer version, the samples that the dead worker
scored after its last commit are not scored here: no row held them at any judgement that counts.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

from mainstem.kinds import KindScale
from mainstem.models import ActiveVersion
from mainstem.scoring.schedule import Reached, Schedule
from mainstem.scoring.turns import in_effect
from mainstem.scoring.worker import Judge, ScoringWorker
from mainstem.settings import Settings
from mainstem.store import Store
from mainstem.store.reads import accepted_between, samples_among
from mainstem.store.turns import JUDGE, Turn

if TYPE_CHECKING:
    from mainstem.standing import Judgement

__all__ = ["Loaded", "Repeated"]

_WINDOW: Final = 4096
Loaded: TypeAlias = tuple[ActiveVersion, float | None, Mapping[str, KindScale], bool]
"""A version ready to score, its scale, how its norms of cheaper kinds stand to full ones, and
whether its scale was measured when it was made."""


class Repeated:
    """One partition, repeated from its first sample to its last.

    Args:
        store: history that holds the samples at their recorded positions.
        settings: settings of the recorded run.
        load: function that returns a version ready to score, with its scale.
        partition: number of the partition.
        trusted: whether the canaries' labels are trusted, and not only assumed.

    Attributes:
        partition: number of the partition.
        worker: scoring worker with the rows.
        judged: the last judgement; None before the first.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        load: Callable[[int], Loaded],
        partition: int,
        *,
        trusted: bool,
    ) -> None:
        self.worker = ScoringWorker(store, settings, [partition], trusted=trusted)
        self.judged: Judgement | None = None
        self.partition = partition
        self._store, self._load = store, load
        self._most = 4 * settings.responses.score_batch
        self._schedule = Schedule(
            judge_every=settings.standing.judge_every, reached={partition: Reached()}
        )
        self._in_use = -1

    @property
    def reached(self) -> Reached:
        """How far the partition has come."""
        return self._schedule.reached[self.partition]

    def run(self, turns: Iterable[Turn], end: int) -> None:
        """Repeat the samples and turns of the partition.

        Args:
            turns: recorded turns of the partition, in the order of their numbers.
            end: position after the last sample.
        """
        for turn in in_effect(turns):
            self._go_to(turn.position)
            self._use(turn.version)
            among = samples_among(self._store, self.partition, turn.position, turn.samples)
            self.worker.score(self.worker.unscored(among), again=True)
            if turn.kind == JUDGE:
                self._judge(self.worker.judge)
        self._go_to(end)

    def _go_to(self, end: int) -> None:
        """Score the samples before a position, and judge where the schedule says so."""
        while (first := self.reached.position) < end:
            upto = min(first + _WINDOW, end)
            samples = accepted_between(self._store, self.partition, first, upto)
            for run in self._schedule.runs(samples, self._most):
                self.worker.score(self.worker.unscored(run.samples))
                if run.due.judge:
                    self._judge(self.worker.judge_in_turn)
            at = self.reached.position
            if at != upto:
                msg = f"partition {self.partition} has no sample at position {at}"
                raise RuntimeError(msg)

    def _use(self, version: int) -> None:
        if version == self._in_use:
            return
        active, scale, kinds, is_measured = self._load(version)
        self.worker.use(version, active, scale, kinds, is_measured=is_measured)
        for one in range(self._in_use + 1, version + 1):
            self.worker.mark_drawn(one)
        self._in_use = version

    def _judge(self, judge: Judge) -> None:
        reached = self.reached
        self.judged = judge(self.partition, reached.position, reached.event_time) or self.judged
