"""What a round is given, and what it came to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Self
from uuid import UUID

from torch import Tensor

from mainstem.learning.evaluation.evaluation import Evaluation
from mainstem.learning.gate import Decision
from mainstem.learning.training.fine_tuning import Training
from mainstem.models import ActiveVersion

__all__ = ["Claim", "Made", "Position", "Round"]

_NOTHING: Final = Evaluation(0, None, None)


@dataclass(frozen=True)
class Position:
    """Where in the input a round stands.

    Attributes:
        ends: next sample offset of each partition.
        event_time: how far event time has come, in milliseconds.
        later_from: event time from which on nothing is trained on.
    """

    ends: Mapping[int, int]
    event_time: int
    later_from: int


@dataclass(frozen=True)
class Claim:
    """That this learner is the one: its generation in the group, and a look whether it still is."""

    generation: int = 0
    holds: Callable[[], bool] = lambda: True


@dataclass(frozen=True)
class Made:
    """A child and what was found of it.

    Attributes:
        decision: whether it is promoted.
        training: the fine-tuned copy; None where a number in the round was not finite.
        measured: name of each slice, and the evaluations of parent and child on it.
        scale: what the child's norms are divided by.
        direction: the trusted gradient at the child, by parameter; nothing where it is not promoted.
    """

    decision: Decision
    training: Training | None = None
    measured: Mapping[str, tuple[Evaluation, Evaluation]] = field(default_factory=dict)
    scale: float | None = None
    direction: Mapping[str, Tensor] = field(default_factory=dict)

    @classmethod
    def failed(cls, reason: str) -> Self:
        """No child: a number was not finite, and that ends the round."""
        return cls.recorded(reason, None, promoted=False)

    @classmethod
    def recorded(cls, reason: str, scale: float | None, *, promoted: bool) -> Self:
        """What a history tells of a child: whether it was promoted, why, and its scale; nothing is measured again."""
        return cls(
            Decision(
                promoted=promoted, judged_on="", before=_NOTHING, after=_NOTHING, reason=reason
            ),
            scale=scale,
        )


@dataclass(frozen=True)
class Round:
    """What one round did.

    Attributes:
        version, parent: the number that it used up, and that of the version it started from.
        position: where in the input it stood.
        drawn: the samples it was trained on.
        drawn_core, drawn_edge: how many it drew from each.
        cold: whether it drew uniformly, for want of core.
        made: the child and what was found of it.
        active: the child, ready for the stream; None where it is not promoted.
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

    @property
    def decision(self) -> Decision:
        """Whether the child is promoted, and why."""
        return self.made.decision

    @property
    def scale(self) -> float | None:
        """What the child's norms are divided by."""
        return self.made.scale
