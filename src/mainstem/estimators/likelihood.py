"""The likelihood ratio of a sample under its label."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from mainstem.estimators.contract import FORWARD, State
from mainstem.estimators.visit import Floats, Visit

__all__ = ["LikelihoodRatio"]


class LikelihoodRatio:
    """How much likelier a sample is among those of its label than among all, in logarithms.

    value = log P(x|y) / P(x) = log P(y|x) / P(y), by Bayes. The newest version gives P(y|x); the
    labels of the partition give P(y). It is the pointwise mutual information of text and label.

    Source:
        Church and Hanks, Word Association Norms, Mutual Information, and Lexicography,
        Computational Linguistics 1990, https://aclanthology.org/J90-1003.
    """

    name, says, reads, needs = "likelihood_ratio", "sound", "probabilities", FORWARD
    columns: Mapping[str, Any] = {"newest": np.float32}

    def visit(self, state: State, visit: Visit) -> None:
        """Keep the logarithm of the probability of the label."""
        # a maximum with NaN is NaN, so what is not known stays so
        state["newest"] = np.log(np.maximum(visit.own, np.finfo(np.float64).tiny))

    def value(self, state: State) -> Floats:
        """The logarithms of the ratios, shape (N,)."""
        _, which, counts = np.unique(state["label"], return_inverse=True, return_counts=True)
        prior = np.log(counts / max(len(which), 1))[which] if len(which) else np.zeros(0)
        newest = state["newest"].astype(np.float64)
        return np.where(state["visits"] > 0, newest - prior, np.nan)
