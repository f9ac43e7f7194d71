"""Estimators by what the newest version gives to each class.

The first three read the label, and doubt it. The others do not, and cannot see that it is wrong.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from mainstem.estimators.contract import FORWARD, State
from mainstem.estimators.visit import Floats, Visit

__all__ = ["Confidence", "Entropy", "LeastConfidence", "Margin", "WeightedEntropy"]

_NEWEST: Final[Mapping[str, Any]] = {"newest": np.float32}
_SMALLEST: Final = 1e-6  # no division by less


def _newest(state: State) -> Floats:
    return np.where(state["visits"] > 0, state["newest"].astype(np.float64), np.nan)


def _entropy(p: Floats) -> Floats:
    return np.asarray(-(p * np.log(np.where(p > 0, p, 1))).sum(axis=1))


class Confidence:
    """Self-confidence: the probability of the label, at the newest visit. value = p_y.

    Source:
        Northcutt, Jiang, Chuang, Confident Learning, JAIR 2021, https://arxiv.org/abs/1911.00068.
    """

    name, says, reads, needs, columns = "confidence", "sound", "probabilities", FORWARD, _NEWEST

    def visit(self, state: State, visit: Visit) -> None:
        """Keep the probability of the label."""
        state["newest"] = visit.own

    def value(self, state: State) -> Floats:
        """The probabilities, shape (N,)."""
        return _newest(state)


class Margin:
    """The normalised margin at the newest visit.

    value = (p_y - max over k != y of p_k + 1) / 2.

    Source:
        Northcutt, Jiang, Chuang, Confident Learning, JAIR 2021, https://arxiv.org/abs/1911.00068.
    """

    name, says, reads, needs, columns = "margin", "sound", "probabilities", FORWARD, _NEWEST

    def visit(self, state: State, visit: Visit) -> None:
        """Keep the margin."""
        state["newest"] = (visit.own - visit.best_other + 1) / 2

    def value(self, state: State) -> Floats:
        """The margins, shape (N,)."""
        return _newest(state)


class WeightedEntropy:
    """Confidence-weighted entropy at the newest visit.

    value = log(1 + r) / r, where r = entropy / (p_y log C): an uncertain prediction and an unlikely
    label make it small.

    Source:
        Kuan and Mueller, Model-agnostic Label Quality Scoring to Detect Real-world Label Errors,
        ICML DataPerf Workshop 2022; the last step as in cleanlab, which scales it to (0, 1].
    """

    name, says, reads, needs = "weighted_entropy", "sound", "probabilities", FORWARD
    columns: Mapping[str, Any] = _NEWEST

    def visit(self, state: State, visit: Visit) -> None:
        """Keep the figure."""
        own = np.maximum(visit.own, _SMALLEST)
        ratio = _entropy(visit.probabilities) / np.log(visit.classes) / own
        state["newest"] = np.log1p(ratio) / np.maximum(ratio, _SMALLEST)

    def value(self, state: State) -> Floats:
        """The figures, shape (N,)."""
        return _newest(state)


class Entropy:
    """The entropy of the newest prediction, whatever the label. value = - sum p_k log p_k.

    Source:
        Coleman et al., Selection via Proxy, ICLR 2020, https://arxiv.org/abs/1906.11829.
    """

    name, says, reads, needs, columns = "entropy", "worth", "probabilities", FORWARD, _NEWEST

    def visit(self, state: State, visit: Visit) -> None:
        """Keep the entropy."""
        state["newest"] = _entropy(visit.probabilities)

    def value(self, state: State) -> Floats:
        """The entropies, shape (N,)."""
        return _newest(state)


class LeastConfidence:
    """How far the newest prediction is from certain, whatever the label. value = 1 - max p_k.

    Source:
        Coleman et al., Selection via Proxy, ICLR 2020, https://arxiv.org/abs/1906.11829.
    """

    name, says, reads, needs = "least_confidence", "worth", "probabilities", FORWARD
    columns: Mapping[str, Any] = _NEWEST

    def visit(self, state: State, visit: Visit) -> None:
        """Keep the distance."""
        state["newest"] = 1 - visit.probabilities.max(axis=1)

    def value(self, state: State) -> Floats:
        """The distances, shape (N,)."""
        return _newest(state)
