"""The policies that are compared, and which of them go on after the screen.

All train the same model by the same rounds. A budget is the share of the new samples that a round
takes; of the old ones it takes half that share, as in `bench cost`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from mainstem.bench.cost.choice import Choice
from mainstem.bench.cost.policies import OURS, Policy
from mainstem.bench.selection.choices import (
    AumFiltered,
    ByEstimator,
    Coverage,
    InfoBatch,
    MultistageFiltering,
)
from mainstem.bench.selection.controls import OfStandings, Oracle, TrustedOnly
from mainstem.estimators import ESTIMATORS
from mainstem.standing import CORE, EDGE, NOISE

__all__ = [
    "BEST",
    "BEYOND",
    "BUDGET",
    "CLAIMED",
    "DEFAULT",
    "MULTISTAGE",
    "QUICK",
    "SCREEN",
    "final_ones",
]

BUDGET: Final = 0.3
"""The budget of the claims."""
MULTISTAGE: Final = "multistage filtering"
BEST: Final = 6
"""How many policies go on after the screen, beside those that the claims name."""


def _chosen(family: str, choice: Choice, budget: float = BUDGET, *, scored: bool = True) -> Policy:
    return Policy(family=family, draw=budget, scored=scored, choice=choice)


def _ours(family: str, budget: float = BUDGET, settings: Mapping[str, Any] | None = None) -> Policy:
    return Policy(family=family, draw=budget, scored=True, settings=settings or {})


DEFAULT: Final = _ours(OURS)
"""The product as it is, at the budget of the claims."""
_EVERYTHING: Final = Policy(family="everything", also=("random", "random again"))
_RANDOM: Final = Policy(family="random", draw=BUDGET)
_RS2: Final = Policy(family="random again", again=BUDGET)
_MULTISTAGE: Final = _chosen(MULTISTAGE, MultistageFiltering())
_ONE_EPOCH: Final = Policy(family="everything", epochs=1)
CLAIMED: Final = (_ONE_EPOCH, _EVERYTHING, _RANDOM, _RS2, _MULTISTAGE, DEFAULT)
"""What the claims are about."""
BEYOND: Final = CLAIMED[1:]
"""What is run on streams beyond those of the claims."""
_BY: Final = {name: _chosen(f"by {name}", ByEstimator(name)) for name in ESTIMATORS}
_STANDINGS: Final = tuple(
    _chosen(f"{name}, {how}", OfStandings(standings, weighed=weighed))
    for name, standings in (
        ("core", (CORE,)),
        ("core and edge", (CORE, EDGE)),
        ("all standings", (CORE, EDGE, NOISE)),
    )
    for how, weighed in (("alike", False), ("weighed", True))
)
_PUBLISHED: Final = (
    _chosen("InfoBatch", InfoBatch(), 1.0),
    _chosen("coverage-centric", Coverage()),
    _chosen("AUM-filtered", AumFiltered()),
)
_CONTROLS: Final = (
    _chosen("trusted only", TrustedOnly(), 1.0, scored=False),
    _chosen("oracle", Oracle(), scored=False),
)
_OTHER_BUDGETS: Final = tuple(
    policy
    for budget in (0.1, 1.0)
    for policy in (
        _ours(OURS, budget),
        *([Policy(family="random", draw=budget)] if budget < 1 else []),
        _chosen(MULTISTAGE, MultistageFiltering(), budget),
    )
)
SCREEN: Final = (
    *CLAIMED,
    *_BY.values(),
    *_PUBLISHED,
    *_STANDINGS,
    _ours(f"{OURS}, no floors", settings={"learning.slice_floor": 0}),
    *_CONTROLS,
    *_OTHER_BUDGETS,
)
"""Everything, for one seed."""
QUICK: Final = (*CLAIMED[1:], _BY["el2n"])
"""The handful of `--quick`."""
_USUAL: Final = (
    *(_BY[name] for name in ("aum", "mean_confidence", "squared_norm")),
    *(one for one in _PUBLISHED if one.family == "coverage-centric"),
    *(one for one in _STANDINGS if one.family == "core and edge, weighed"),
    *(one for one in _CONTROLS if one.family == "oracle"),
)


def final_ones(screened: Sequence[str]) -> tuple[Policy, ...]:
    """The policies of the claims, and six more.

    Args:
        screened: names of policies after a screen, the best first; empty without one. Then six
            that stand for the others are taken.

    Example:
        >>> final_ones(["oracle, 30 %, 3 epochs", "by el2n, 30 %, 3 epochs"])[-1].family
        'by el2n'
    """
    left = {one.name: one for one in SCREEN if one not in (*CLAIMED, *_CONTROLS)}
    best = [left[name] for name in screened if name in left][:BEST]
    return (*CLAIMED, *(best or _USUAL))
