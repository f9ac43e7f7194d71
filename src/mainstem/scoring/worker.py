"""The scoring worker: samples in, responses, importance and standings out, for the partitions it owns.

It writes first and counts then, so that its rows never know more than the history: `rebuild` gives the very same rows from
what was written.
"""

from collections.abc import Iterable, Mapping, Sequence

from mainstem.importance import Rows
from mainstem.join import PlacedSample, told
from mainstem.models import ActiveVersion
from mainstem.scoring.answered import SCORED, Answered
from mainstem.scoring.finite import finite_only
from mainstem.scoring.judging import At, Judging, Publish
from mainstem.scoring.rebuilding import rebuilt
from mainstem.scoring.rescoring import due_again, unscored
from mainstem.scoring.scale import mean_norm
from mainstem.settings import Settings
from mainstem.standing import Judgement
from mainstem.store import Store
from mainstem.store.draws import drawn_for_promoted

__all__ = ["ScoringWorker"]


class ScoringWorker:
    """The rows of some partitions, and the version in use.

    Args:
        store: the history.
        settings: budgets and thresholds.
        partitions: those that it owns at first.
        trusted: whether the canaries' labels are believed, not only assumed.
        publish: is given new standings, once the history has them.

    Attributes:
        rows: of each partition that it owns.
        left: for each of them, the event time that samples before it have left.
        version, scale: the version in use, and what its norms are divided by; no scale before it first scored.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        partitions: Iterable[int],
        *,
        trusted: bool,
        publish: Publish = lambda standings: None,  # noqa: ARG005
    ) -> None:
        self.rows = {partition: Rows(sketch=settings.responses.sketch) for partition in partitions}
        self.left: dict[int, int] = dict.fromkeys(self.rows, 0)
        self.version = 0
        self.scale: float | None = None
        self.trusted = trusted
        self._store = store
        self._settings = settings
        self._judging = Judging(store, settings, publish)
        self._active: ActiveVersion | None = None

    @property
    def active(self) -> ActiveVersion:
        """The version in use, at work."""
        if self._active is None:
            msg = "no version has been taken up yet"
            raise RuntimeError(msg)
        return self._active

    def use(self, version: int, active: ActiveVersion, scale: float | None) -> None:
        """Go on with a version that was taken up before, at the scale it had."""
        self.version, self._active, self.scale = version, active, scale

    def take_up(
        self, version: int, active: ActiveVersion, ends: Mapping[int, int], scale: float | None
    ) -> int:
        """Take up a new version: score all canaries and the newest samples again, before anything else.

        Args:
            version: its number.
            active: the version at work.
            ends: the next position of each partition.
            scale: what its norms are divided by.

        Returns:
            How many samples were scored again.
        """
        self.use(version, active, scale)
        known = self.due(ends)
        self.score(known)
        return len(known)

    def due(self, ends: Mapping[int, int]) -> list[PlacedSample]:
        """What the version in use should score again: all canaries, and the newest samples within the budget."""
        return due_again(self._store, self._settings, self.rows, self.version, ends)

    def unscored(self, samples: Sequence[PlacedSample]) -> list[PlacedSample]:
        """Those whose label is not outdated and that the version in use has not scored."""
        return unscored(self.rows, self.version, samples)

    def score(self, samples: Sequence[PlacedSample]) -> None:
        """Score samples by the version in use: one visit each. Samples of parts that are not scored are let go."""
        taken = [sample for sample in samples if sample.part in SCORED]
        if not taken:
            return
        found = self.active.responses(*told(taken))
        taken, found = finite_only(taken, found, self.version)
        if not taken:
            return
        if self.scale is None:
            self.scale = mean_norm(found, taken)
        answered = Answered.by(self.version, self.scale, taken, found)
        answered.keep(self._store)
        for partition, visits in answered.visits():
            self.rows[partition].visit(visits)

    def judge(self, partition: int, end: int, event_time: int, *, last: bool = False) -> Judgement:
        """Judge a partition at position `end`; writes the judgement, the new standings and the moves.

        Args:
            partition, end, event_time: where.
            last: whether the log ends here: the standings that did not move are written then too.
        """
        rows = self.rows[partition]
        self.left[partition] = max(event_time - self._settings.responses.horizon, 0)
        rows.leave(self.left[partition])
        return self._judging.judge(
            rows, At(partition, end, event_time, self.version), trusted=self.trusted, last=last
        )

    def write_again(self, partition: int, judgement: int) -> None:
        """Write and publish the standings of a judgement again: whoever judged may have died right after the moves."""
        self._judging.write_again(partition, judgement)

    def mark_drawn(self, version: int) -> None:
        """Mark the samples that a promoted version was trained on."""
        drawn = drawn_for_promoted(self._store, version).get(version, [])
        for rows in self.rows.values():
            rows.mark_drawn(drawn)

    def rebuild(self, ends: Mapping[int, int], version: int, left: Mapping[int, int]) -> None:
        """Make the rows again from the history: responses of samples before `ends`, by versions up to `version`."""
        self.left |= left
        self.rows |= rebuilt(
            self._store, ends, version, left=self.left, sketch=self._settings.responses.sketch
        )

    def disown(self, partition: int) -> None:
        """Forget a partition that another worker owns from now on."""
        self.rows.pop(partition, None)
        self.left.pop(partition, None)
