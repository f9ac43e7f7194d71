"""Choices that are compared: by an estimator, published policies, and controls."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from mainstem.bench.cost.choice import Candidates, Chosen, alike
from mainstem.bench.selection.draws import at_random, highest, in_stages, layered, pruned, some_of
from mainstem.estimators import FULL, dynamic_weights, estimator
from mainstem.learning.draws.inclusion import inclusion_probabilities, loss_weights, systematic

__all__ = [
    "AumFiltered",
    "ByEstimator",
    "Coverage",
    "InfoBatch",
    "MultistageFiltering",
]

_CHEAP: Final[Mapping[str, Any]] = {
    "responses.first_visit": "forward",
    "responses.next_visit": "forward",
}
_FULL: Final[Mapping[str, Any]] = {
    "responses.first_visit": "full",
    "responses.next_visit": "full",
}
_IN_PROPORTION: Final = "squared_norm"
_DYNAMIC: Final = "normalised_norm"
_THRESHOLD: Final = 0.1  # dynamic weight below which a sample weighs nothing


@dataclass(frozen=True)
class ByEstimator:
    """The samples with the highest figures of an estimator.

    The squared norm is a probability: there the draw is in proportion, and a sample weighs the less
    the likelier it was drawn. The normalised norm is a weight: there the highest weigh as their
    shares say, and below a threshold nothing. Visits are the cheapest that hold what the estimator
    reads.

    Attributes:
        name: name of the estimator.
    """

    name: str
    judges: ClassVar[bool] = False

    @property
    def reads(self) -> tuple[str, ...]:
        """The estimator."""
        return (self.name,)

    @property
    def settings(self) -> Mapping[str, Any]:
        """Visits of the kind that it needs, and representations if it reads them."""
        its = estimator(self.name)
        kept = {"responses.representations": True} if its.reads == "representation" else {}
        return {**(_FULL if its.needs == FULL else _CHEAP), **kept}

    def of(self, there: Candidates, share: float, random: np.random.Generator) -> Chosen:
        """The share with the highest figures."""
        figures = there.figures[self.name]
        if self.name == _IN_PROPORTION:
            return _in_proportion(figures, share, random)
        places = highest(figures, share, random)
        if self.name != _DYNAMIC:
            return alike(places)
        shares = np.nan_to_num(figures[places])
        total = float(shares.sum())
        if not total:
            return alike(places)
        return Chosen(places, dynamic_weights(shares / total, _THRESHOLD))


def _in_proportion(
    figures: NDArray[np.float64], share: float, random: np.random.Generator
) -> Chosen:
    known = figures[~np.isnan(figures)]
    sizes = np.where(np.isnan(figures), known.mean() if len(known) else 1.0, figures)
    count = round(share * len(sizes))
    chance = inclusion_probabilities(sizes, count)
    places = np.sort(systematic(chance, random, random.permutation(len(sizes))))
    return Chosen(places, loss_weights(chance[places], 1.0))


@dataclass(frozen=True)
class MultistageFiltering:
    """The highest by loss, and of those the highest by the norm of the last layer's gradient.

    Both come from a forward pass.

    Source:
        Multistage filtering, IJCAI 2023, https://arxiv.org/abs/2207.14386 (there the stages are
        tuned to a model; here both keep the same share of what reaches them).
    """

    reads: ClassVar[tuple[str, ...]] = ("loss", "response_norm")
    judges: ClassVar[bool] = False
    settings: ClassVar[Mapping[str, Any]] = _CHEAP

    def of(self, there: Candidates, share: float, random: np.random.Generator) -> Chosen:
        """The share that passes both stages."""
        return alike(in_stages([there.figures[one] for one in self.reads], share, random))


@dataclass(frozen=True)
class InfoBatch:
    """Samples below the mean loss are pruned by chance, and those that stay weigh more.

    Where only a share may be taken, that share is drawn at random before.

    Attributes:
        chance: probability with which a sample below the mean is pruned.

    Source:
        Qin et al., InfoBatch, ICLR 2024, https://arxiv.org/abs/2303.04947 (there anew for each
        epoch; here for each round, and the last epochs are not on everything).
    """

    chance: float = 0.5
    reads: ClassVar[tuple[str, ...]] = ("loss",)
    judges: ClassVar[bool] = False
    settings: ClassVar[Mapping[str, Any]] = _CHEAP

    def of(self, there: Candidates, share: float, random: np.random.Generator) -> Chosen:
        """What stays of the share."""
        some = at_random(np.arange(len(there)), share, random)
        kept, weight = pruned(there.figures["loss"][some], self.chance, random)
        return Chosen(some[kept], weight)


@dataclass(frozen=True)
class AumFiltered:
    """At random from what is left once the lowest areas under the margin are filtered out.

    Attributes:
        cut: share that is filtered out.

    Source:
        Pleiss et al., Identifying Mislabeled Data using the Area Under the Margin Ranking, NeurIPS
        2020, https://arxiv.org/abs/2001.10528 (there the share is learnt from a class that is
        wrong on purpose).
    """

    cut: float = 0.2
    reads: ClassVar[tuple[str, ...]] = ("aum",)
    judges: ClassVar[bool] = False
    settings: ClassVar[Mapping[str, Any]] = _CHEAP

    def of(self, there: Candidates, share: float, random: np.random.Generator) -> Chosen:
        """The share of all, or all that is left if that is less."""
        cut = _lowest(there.figures["aum"], self.cut)
        return alike(some_of(np.flatnonzero(~cut), len(there), share, random), cut)


@dataclass(frozen=True)
class Coverage:
    """Coverage-centric: the hardest are cut, and the rest is drawn alike from all of the score.

    Attributes:
        cut: share of the lowest areas under the margin that is cut.

    Source:
        Zheng, Liu, Lai, Prakash, Coverage-centric Coreset Selection for High Pruning Rates, ICLR
        2023, https://arxiv.org/abs/2210.15809.
    """

    cut: float = 0.2
    reads: ClassVar[tuple[str, ...]] = ("aum",)
    judges: ClassVar[bool] = False
    settings: ClassVar[Mapping[str, Any]] = _CHEAP

    def of(self, there: Candidates, share: float, random: np.random.Generator) -> Chosen:
        """The share of all, or all that is left if that is less."""
        aum = there.figures["aum"]
        cut = _lowest(aum, self.cut)
        left = np.flatnonzero(~cut & ~np.isnan(aum))
        unknown = at_random(np.flatnonzero(np.isnan(aum)), share, random)
        count = min(round(share * len(there)) - len(unknown), len(left))
        taken = layered(aum, left, count, random)
        return alike(np.sort(np.concatenate([unknown, taken])), cut)


def _lowest(figures: NDArray[np.float64], share: float) -> NDArray[np.bool_]:
    """The share of the known figures that is lowest; the first of equal ones go first."""
    known = np.flatnonzero(~np.isnan(figures))
    order = np.argsort(figures[known], kind="stable")
    found = np.zeros(len(figures), np.bool_)
    found[known[order[: round(share * len(known))]]] = True
    return found
