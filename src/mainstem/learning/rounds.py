"""What a round receives, and its result."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Self
from uuid import UUID

from torch import Tensor

from mainstem.kinds import KindScale
from mainstem.learning.comparing import Comparison
from mainstem.learning.evaluation.evaluation import Evaluation
from mainstem.learning.gate import Decision
from mainstem.learning.hard_errors import HardErrors
from mainstem.learning.training.fine_tuning import Training
from mainstem.models import ActiveVersion
from mainstem.process.stopwatch import Cost
from mainstem.versions import BeatsCounting

__all__ = ["Claim", "Made", "Position", "Round"]

_NOTHING: Final = Evaluation(0, None, None)


@dataclass(frozen=True)
class Position:
    """The place of a round in the input.

    Attributes:
        ends: position of the next sample of each partition.
        event_time: largest event time so far, in milliseconds.
        later_from: event time from which on samples are not trained on, in milliseconds.
    """

    ends: Mapping[int, int]
    event_time: int
    later_from: int


@dataclass(frozen=True)
class Claim:
    """The claim of a learner to be the only one.

    Attributes:
        generation: generation of the learner in its consumer group.
        holds: function that tells whether the claim still holds.
    """

    generation: int = 0
    holds: Callable[[], bool] = lambda: True


@dataclass(frozen=True)
class Made:
    """A new version and what was measured of it.

    Attributes:
        decision: whether it is promoted, and why.
        training: the fine-tuned copy; None if a number was not finite or nothing was drawn.
        comparison: what was measured of it beside its parent; None if there is no version.
        beats_counting: whether it ranks better than counting; None where nothing can be counted.
        scale: number that the version's norms are divided by.
        kinds: how its norms of cheaper kinds stand to full ones, by kind.
        direction: trusted gradient at the version by parameter name; empty if it is not promoted.
        errors: how wrong labels are spread over easy and hard gate samples, by the parent; None if
            nobody asked.
    """

    decision: Decision
    training: Training | None = None
    comparison: Comparison | None = None
    beats_counting: BeatsCounting | None = None
    scale: float | None = None
    kinds: Mapping[str, KindScale] = field(default_factory=dict)
    direction: Mapping[str, Tensor] = field(default_factory=dict)
    errors: HardErrors | None = None

    @classmethod
    def failed(cls, reason: str) -> Self:
        """A round without a new version, and why there is none."""
        return cls.recorded(reason, None, promoted=False)

    @classmethod
    def recorded(
        cls,
        reason: str,
        scale: float | None,
        kinds: Mapping[str, KindScale] | None = None,
        *,
        promoted: bool,
    ) -> Self:
        """A new version as a history records it, without training and measurements.

        Args:
            reason: why it is promoted or not.
            scale: number that its norms are divided by; None if it is not promoted.
            kinds: how its norms of cheaper kinds stand to full ones, by kind.
            promoted: whether it is promoted.
        """
        decision = Decision(promoted, "", before=_NOTHING, after=_NOTHING, reason=reason)
        return cls(decision, scale=scale, kinds=kinds or {})


@dataclass(frozen=True)
class Round:
    """One round.

    Attributes:
        version: number that the round used up.
        parent: number of the version that it started from.
        position: place of the round in the input.
        drawn: ids of the samples that it trained on.
        drawn_core, drawn_edge: number of samples that it drew from core and from edge.
        cold: whether it drew without importance because core was too small.
        made: the new version and what was measured of it.
        active: the new version ready to score; None if it is not promoted.
        available: number of samples that it could draw from; 0 for a recorded round.
        costs: what its passes cost, by kind; empty for a recorded round.
    """

    version: int
    parent: int
    position: Position
    drawn: list[UUID]
    drawn_core: int
    drawn_edge: int
    cold: bool
    made: Made
    active: ActiveVersion | None
    available: int = 0
    costs: Mapping[str, Cost] = field(default_factory=dict)

    @property
    def decision(self) -> Decision:
        """Whether the child is promoted, and why."""
        return self.made.decision

    @property
    def scale(self) -> float | None:
        """The number that the new version's norms are divided by."""
        return self.made.scale
