"""Holds the policies of a stream against each other: targets, ratios of cost, equal cost."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mainstem.bench.cost.cells import Ran
from mainstem.bench.cost.curves import Curve, cost_at, quality_at
from mainstem.bench.cost.policies import FAMILIES, OURS, Policy
from mainstem.bench.cost.quality import WeightedQuality

__all__ = ["DRAWS", "LESS", "Compared", "Each", "compared", "interval_of"]

LESS: Final = 0.003
"""How much less than the best mean AUC of the baselines is the target."""
DRAWS: Final = 400
_SCORING: Final = ("score", "rescore")
_PAID: Final = (*_SCORING, "train", "features")
_LEVEL: Final = (0.025, 0.975)


@dataclass(frozen=True)
class Compared:
    """What was found for one stream.

    Attributes:
        target: AUC on true labels that is to be reached.
        cost_ratio: cost of ours at the target, over that of the cheapest baseline: `mean`, `low`
            and `high`; each None where it is never reached.
        equal_cost: AUC of ours less that of the better of the random baselines at the same cost, in
            the mean over our points: `mean`, `low`, `high`; each None where no cost is equal.
        free_ratio: the ratio of cost if scoring cost nothing; None where it is never reached.
        curves: for each family its points, with `policy`, `cost` and `auc_true` in the mean.
    """

    target: float
    cost_ratio: Mapping[str, float | None]
    equal_cost: Mapping[str, float | None]
    free_ratio: float | None
    curves: Mapping[str, Sequence[Mapping[str, Any]]]


def compared(
    ran: Mapping[str, Mapping[int, Ran]], policies: Sequence[Policy], seed: int
) -> Compared:
    """Compare the policies of one stream.

    Args:
        ran: for the name of each policy, its cell of each seed; all policies have the same seeds.
        policies: the policies.
        seed: seed of the bootstrap.
    """
    each = Each(ran, policies)
    target, ratio, gain = each.figures(*each.as_they_are())
    drawn = [each.figures(*one)[1:] for one in each.draws(DRAWS, seed)]
    ratios = np.array([one for one, _ in drawn])
    gains = np.array([one for _, one in drawn])
    cost, quality = each.as_they_are()
    free = each.figures(cost - each.scoring(), quality)[1]
    return Compared(
        target=target,
        cost_ratio=interval_of(ratio, ratios),
        equal_cost=interval_of(gain, gains),
        free_ratio=free if np.isfinite(free) else None,
        curves={
            family: [
                {"policy": policies[at].name, "cost": cost[at], "auc_true": quality[at]}
                for at in places
            ]
            for family, places in each.families.items()
        },
    )


class Each:
    """The cells of all policies, by policy and seed.

    Args:
        ran: for the name of each policy, its cell of each seed; all policies have the same seeds.
        policies: P policies.
        worst: whether quality is the AUC of the worst of the rare slices, not that of all samples.

    Attributes:
        seeds: the seeds, S of them.
        families: places of the policies of each family.
    """

    def __init__(
        self,
        ran: Mapping[str, Mapping[int, Ran]],
        policies: Sequence[Policy],
        *,
        worst: bool = False,
    ) -> None:
        self.seeds = sorted(next(iter(ran.values())))
        cells = [[ran[one.name][seed] for seed in self.seeds] for one in policies]
        # all policies of a seed have the same samples
        self._slices = [one.slices if worst else None for one in cells[0]]
        self._cost = np.array([[paid(one) for one in row] for row in cells])
        self._scoring = np.array([[paid(one, _SCORING) for one in row] for row in cells])
        self._ranked = [[WeightedQuality.of(one.truth, one.scores) for one in row] for row in cells]
        self._questions = [np.unique(one.questions, return_inverse=True)[1] for one in cells[0]]
        self.families: dict[str, list[int]] = {}
        for place, policy in enumerate(policies):
            for family in (policy.family, *policy.also):
                self.families.setdefault(family, []).append(place)

    def as_they_are(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Cost and quality of each policy, in the mean over the seeds, shape (P,) each."""
        slots = list(range(len(self.seeds)))
        return self._measured(slots, [np.ones(len(one)) for one in self._questions])

    def scoring(self) -> NDArray[np.float64]:
        """What scoring cost each policy, in the mean over the seeds, shape (P,)."""
        return np.asarray(self._scoring.mean(axis=1), np.float64)

    def draws(
        self, count: int, seed: int
    ) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """The same for draws of seeds, and of the questions of each."""
        random = np.random.default_rng(seed)
        for _ in range(count):
            slots = random.integers(len(self.seeds), size=len(self.seeds)).tolist()
            weights = []
            for slot in slots:
                question = self._questions[slot]
                many = int(question.max()) + 1
                times = np.bincount(random.integers(many, size=many), minlength=many)
                weights.append(times[question].astype(np.float64))
            yield self._measured(slots, weights)

    def of_seed(self, slot: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Cost and quality of each policy with the seed in a slot, shape (P,) each."""
        return self._measured([slot], [np.ones(len(self._questions[slot]))])

    def _measured(
        self, slots: Sequence[int], weights: Sequence[NDArray[np.float64]]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        drawn = list(zip(slots, weights, strict=True))
        quality = [_mean([self._quality(row, *one) for one in drawn]) for row in self._ranked]
        return self._cost[:, slots].mean(axis=1), np.array(quality)

    def _quality(
        self, row: Sequence[WeightedQuality], slot: int, weights: NDArray[np.float64]
    ) -> float:
        slices = self._slices[slot]
        if slices is None:
            return row[slot].auc(weights)
        found = [row[slot].auc(weights * one) for one in slices]
        return min((one for one in found if not np.isnan(one)), default=np.nan)

    def figures(
        self, cost: NDArray[np.float64], quality: NDArray[np.float64]
    ) -> tuple[float, float, float]:
        """Target, ratio of cost, and gain at equal cost; NaN where there is none."""
        curves = {
            family: Curve(cost[places], quality[places]) for family, places in self.families.items()
        }
        theirs = [curves[one] for one in FAMILIES if one in curves]
        target = max(float(one.quality.max()) for one in theirs) - LESS
        reached = [one for curve in theirs if (one := cost_at(curve, target)) is not None]
        ours = curves.get(OURS)
        if ours is None:
            return target, np.nan, np.nan
        own = cost_at(ours, target)
        ratio = np.inf if own is None else own / min(reached)
        rivals = [curves[one] for one in FAMILIES[1:] if one in curves]
        gains = []
        for paid_for, has in zip(ours.cost, ours.quality, strict=True):
            known = [quality_at(one, float(paid_for)) for one in rivals]
            if best := [one for one in known if one is not None]:
                gains.append(float(has) - max(best))
        return target, float(ratio), float(np.mean(gains)) if gains else np.nan


def paid(ran: Ran, kinds: Sequence[str] = _PAID) -> float:
    """What a cell cost: tokens times the factor of each kind of pass, without evaluation."""
    return float(sum(ran.facts["cost"][name] for name in kinds))


def _mean(values: Sequence[float]) -> float:
    known = [one for one in values if not np.isnan(one)]
    return float(np.mean(known)) if known else np.nan


def interval_of(found: float, drawn: NDArray[np.float64]) -> dict[str, float | None]:
    """A figure and what 95 % of its draws lie between: `mean`, `low` and `high`.

    Args:
        found: the figure itself.
        drawn: the figure of each draw; NaN where it is not defined.

    Returns:
        The three; None for what is not finite.
    """
    known = drawn[~np.isnan(drawn)]
    low, high = (
        np.quantile(known, _LEVEL, method="inverted_cdf") if len(known) else (np.nan, np.nan)
    )
    named = {"mean": found, "low": float(low), "high": float(high)}
    return {name: one if np.isfinite(one) else None for name, one in named.items()}
