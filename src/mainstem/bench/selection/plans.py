"""What is run on which streams, with how many seeds: the final run, the screen, and the quick one.

The final run is at the budget of the claims; other budgets are in the screen.
"""

from collections.abc import Sequence
from dataclasses import replace

from mainstem.bench.cost.run import Plan
from mainstem.bench.selection.policies import BEYOND, SCREEN, final_ones
from mainstem.bench.selection.policies import QUICK as FEW
from mainstem.bench.selection.streams import QUICK, SCREENED, Data, beyond, final

__all__ = ["final_plans", "only_streams", "quick_plans", "screen_plans"]


def final_plans(base: Plan, data: Data, seeds: int, best: Sequence[str]) -> list[Plan]:
    """The best policies with all seeds on the streams of the claims, and a few beyond them.

    Args:
        base: a plan that says where and how cells are run.
        data: what streams are made of.
        seeds: number of seeds on the streams of the claims; the others have one.
        best: names of policies after a screen, the best first; empty without one.
    """
    return [
        replace(base, streams=final(data), policies=final_ones(best), seeds=range(seeds)),
        replace(base, streams=beyond(data), policies=BEYOND, seeds=[0]),
    ]


def screen_plans(base: Plan) -> list[Plan]:
    """Everything there is, with one seed on two streams."""
    return [replace(base, streams=SCREENED, policies=SCREEN, seeds=[0])]


def quick_plans(base: Plan) -> list[Plan]:
    """A handful of policies, with two seeds on one small stream."""
    return [replace(base, streams=QUICK, policies=FEW, seeds=[0, 1])]


def only_streams(plans: Sequence[Plan], names: Sequence[str]) -> list[Plan]:
    """The plans without the streams that are not named, as far as any stream is left.

    Args:
        plans: the plans.
        names: names of the streams to keep.
    """
    some = [
        replace(plan, streams=[one for one in plan.streams if one.name in names]) for plan in plans
    ]
    return [one for one in some if one.streams]
