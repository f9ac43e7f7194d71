"""What is told of each policy of a stream: means over seeds, and intervals of quality and cost."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from mainstem.bench.cost.cells import Ran
from mainstem.bench.cost.compared import DRAWS, Each, interval_of
from mainstem.bench.cost.policies import Policy

__all__ = ["MEASURES", "summary_of"]

MEASURES: Final = ("worst_slice", "auroc", "ap", "precision", "recall", "f1", "coverage")
"""What is told in the mean over the seeds that have it."""


def summary_of(
    stream: str, ran: Mapping[str, Mapping[int, Ran]], policies: Sequence[Policy], seed: int
) -> list[dict[str, Any]]:
    """A row for each policy of a stream.

    Args:
        stream: name of the stream.
        ran: for the name of each policy, its cell of each seed; all policies have the same seeds.
        policies: the policies.
        seed: seed of the draws of seeds and questions that intervals come from.

    Returns:
        For each policy `stream`, `policy`, `family`, `budget`, `seeds`; `cost`; `auc_true`, `low`
        and `high`; and the mean of each of `MEASURES`, None where no seed has it.
    """
    each = Each(ran, policies)
    cost, quality = each.as_they_are()
    drawn = np.array([one for _, one in each.draws(DRAWS, seed)])
    rows = []
    for place, policy in enumerate(policies):
        told = interval_of(float(quality[place]), drawn[:, place])
        facts = [ran[policy.name][one].facts for one in each.seeds]
        rows.append(
            {
                "stream": stream,
                "policy": policy.name,
                "family": policy.family,
                "budget": facts[0]["draw"],
                "seeds": len(each.seeds),
                "cost": float(cost[place]),
                "auc_true": told["mean"],
                "low": told["low"],
                "high": told["high"],
                **{name: _mean([one[name] for one in facts]) for name in MEASURES},
            }
        )
    return rows


def _mean(values: Sequence[float | None]) -> float | None:
    known = [one for one in values if one is not None]
    return float(np.mean(known)) if known else None
