"""A partition of a recorded schedule, gone through again: the same visits and judgements at the same positions.

What is scored together may be cut otherwise, which moves the last bits of a response and nothing else. Where a worker died
and another one took over with a newer version, what the dead one had scored after its last commit is not scored again here:
no rows held it at any judgement that stands.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final, TypeAlias

from mainstem.models import ActiveVersion
from mainstem.scoring.schedule import Reached, Schedule
from mainstem.scoring.turns import in_effect
from mainstem.scoring.worker import ScoringWorker
from mainstem.settings import Settings
from mainstem.store import Store
from mainstem.store.reads import accepted_between, samples_among
from mainstem.store.turns import JUDGE, Turn

if TYPE_CHECKING:
    from mainstem.standing import Judgement

__all__ = ["Loaded", "Repeated"]

_WINDOW: Final = 4096
Loaded: TypeAlias = tuple[ActiveVersion, float | None]
"""A version at work, and what its norms are divided by."""


class Repeated:
    """One partition, from its first sample to its last.

    Args:
        store: holds its samples at their recorded positions.
        settings: as they were.
        load: gives a version at work, and its scale.
        partition: which.
        trusted: whether the canaries' labels are believed, not only assumed.

    Attributes:
        partition: which.
        worker: that has its rows.
        judged: the last judgement.
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
        """How far it has come."""
        return self._schedule.reached[self.partition]

    def run(self, turns: Iterable[Turn], end: int) -> None:
        """Go through its samples and turns.

        Args:
            turns: of this partition, in the order of their numbers.
            end: one more than the last position.
        """
        for turn in in_effect(turns):
            self._go_to(turn.position)
            self._use(turn.version)
            self.worker.score(
                self.worker.unscored(
                    samples_among(self._store, self.partition, turn.position, turn.samples)
                )
            )
            if turn.kind == JUDGE:
                self._judge()
        self._go_to(end)

    def _go_to(self, end: int) -> None:
        """Score what comes for the first time before a position, and judge where the schedule says."""
        while (first := self.reached.position) < end:
            upto = min(first + _WINDOW, end)
            for run in self._schedule.runs(
                accepted_between(self._store, self.partition, first, upto), self._most
            ):
                self.worker.score(self.worker.unscored(run.samples))
                if run.due.judge:
                    self._judge()
            if self.reached.position != upto:
                msg = (
                    f"partition {self.partition} has no sample at position {self.reached.position}"
                )
                raise RuntimeError(msg)

    def _use(self, version: int) -> None:
        if version == self._in_use:
            return
        active, scale = self._load(version)
        self.worker.use(version, active, scale)
        for one in range(self._in_use + 1, version + 1):
            self.worker.mark_drawn(one)
        self._in_use = version

    def _judge(self) -> None:
        reached = self.reached
        self.judged = self.worker.judge(self.partition, reached.position, reached.event_time)
