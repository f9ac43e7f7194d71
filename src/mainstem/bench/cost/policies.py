"""The ways to choose samples that are compared.

All train the same model by the same rounds, with the same rehearsal: of the older samples they take
the share `REHEARSAL` of what they take of the new ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from mainstem.bench.cost.choice import Choice

__all__ = ["FAMILIES", "OURS", "POLICIES", "QUICK", "REHEARSAL", "TRIALS", "Policy"]

REHEARSAL: Final = 0.5
OURS: Final = "mainstem"
FAMILIES: Final = ("everything", "random", "random again")
"""The families of the baselines; the last is RS2, which draws anew for each epoch."""
_ALL: Final = 1_000_000  # more samples than a stream has


@dataclass(frozen=True, kw_only=True)
class Policy:
    """One way to choose what a round trains on.

    Attributes:
        family: name of the curve that it is a point of.
        draw: share of the new samples that a round takes.
        epochs: the most passes over a draw.
        again: share of a draw that each epoch takes, at random anew.
        scored: whether samples are scored and judged, and draws heed it; else they are uniform.
        settings: other settings of the policy.
        also: other families whose curves it is a point of.
        choice: chooses the shares of new and of old samples in the learner's place; None lets the
            learner draw them.
    """

    family: str
    draw: float = 1.0
    epochs: int = 3
    again: float = 1.0
    scored: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    also: tuple[str, ...] = ()
    choice: Choice | None = None

    @property
    def name(self) -> str:
        """The policy in words.

        Example:
            >>> Policy(family="random", draw=0.25).name
            'random, 25 %, 3 epochs'
        """
        share = self.draw if self.again == 1 else self.again
        epochs = "1 epoch" if self.epochs == 1 else f"{self.epochs} epochs"
        return f"{self.family}, {share:.0%}, {epochs}".replace("%", " %")

    @property
    def judged(self) -> bool:
        """Whether samples are judged."""
        return self.scored and (self.choice is None or self.choice.judges)

    @property
    def all_settings(self) -> dict[str, Any]:
        """The settings by which the policy differs from the usual ones."""
        return {**self._draws, "learning.epochs": self.epochs, **self.settings}

    @property
    def _draws(self) -> dict[str, Any]:
        if self.choice:  # what it chooses is all drawn, and weighs what it says
            return {
                "learning.choose": "always",
                "learning.draw": _ALL,
                "learning.draw_new": 1.0,
                "learning.draw_old": 1.0,
                "learning.adaptive_epochs": False,
                "learning.evidence_weight": 1.0,
                "learning.weigh": "always",
                "learning.inclusion_weight": 0.0,
                "importance.shadow": ",".join(self.choice.reads),
                **self.choice.settings,
            }
        return {
            "learning.choose": "always",
            "learning.draw": _ALL,
            "learning.draw_new": self.draw,
            "learning.draw_old": self.draw * REHEARSAL,
            "learning.adaptive_epochs": self.scored,
            "learning.epoch_share": self.again,
        }


def _ours(family: str, draw: float, **settings: Any) -> Policy:
    named = {name.replace("__", "."): value for name, value in settings.items()}
    return Policy(family=family, draw=draw, scored=True, settings=named)


POLICIES: Final = (
    *(Policy(family="everything", epochs=epochs) for epochs in (1, 2)),
    Policy(family="everything", also=("random", "random again")),
    *(Policy(family="random", draw=draw) for draw in (0.25, 0.5)),
    *(Policy(family="random again", again=share) for share in (0.25, 0.5)),
    *(_ours(OURS, draw) for draw in (0.25, 0.5, 1.0)),
    _ours(f"{OURS}, not scored again", 0.5, responses__rescore_budget=0),
    _ours(f"{OURS}, no evidence", 0.5, standing__evidence="margin"),
    _ours(f"{OURS}, all until learnt", 0.5, learning__choose="learnt"),
)
TRIALS: Final[Mapping[str, Mapping[str, Any]]] = {
    "": {},
    "faster": {"learning.learning_rate": 2e-3},
    "slower": {"learning.learning_rate": 5e-4},
    "patient": {"learning.patience": 2},
}
"""Settings that are tried for each family of policies, by name."""
QUICK: Final = tuple(
    one
    for one in POLICIES
    if one.name
    in {
        "everything, 100 %, 1 epoch",
        "everything, 100 %, 3 epochs",
        "random, 50 %, 3 epochs",
        f"{OURS}, 50 %, 3 epochs",
    }
)
"""The four policies of `--quick`."""
