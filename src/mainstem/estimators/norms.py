"""Estimators by the length of the response. They read what rows keep anyway."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from mainstem.estimators.contract import FORWARD, FULL, State
from mainstem.estimators.visit import Floats, Visit

__all__ = ["NormOfMean", "NormalisedNorm", "ResponseNorm", "SquaredNorm", "shares"]

_NONE: Final[Mapping[str, Any]] = {}


class ResponseNorm:
    """The running mean of the response norm: the acting estimator.

    value = mean over visits k of norm_k / scale_k, where scale_k is the canaries' mean norm.

    Source:
        Paul, Ganguli, Dziugaite, Deep Learning on a Data Diet, NeurIPS 2021,
        https://arxiv.org/abs/2107.07075 (GraNd, there of the first epochs of many runs).
    """

    name, says, reads, needs, columns = "response_norm", "worth", "norm", FORWARD, _NONE

    def visit(self, state: State, visit: Visit) -> None:
        """Nothing: the rows keep the mean."""

    def value(self, state: State) -> Floats:
        """The running means, shape (N,)."""
        return np.where(state["visits"] > 0, state["importance"], np.nan)


class NormOfMean:
    """The norm of the mean response, from the mean sketch.

    value = || mean over visits k of sketch_k / scale_k ||. Far below the mean norm, the visits of a
    sample pulled in different directions.

    Source:
        Pham and Pagh, Fast and Scalable Polynomial Kernels via Explicit Feature Maps, KDD 2013,
        https://doi.org/10.1145/2487575.2487591 (TensorSketch, whose lengths are unbiased).
    """

    name, says, reads, needs, columns = "norm_of_mean", "worth", "sketch", FULL, _NONE

    def visit(self, state: State, visit: Visit) -> None:
        """Nothing: the rows keep the mean sketch."""

    def value(self, state: State) -> Floats:
        """The lengths, shape (N,)."""
        lengths = np.sqrt(np.square(state["sketch"], dtype=np.float64).sum(axis=1))
        return np.where(state["sketched"] > 0, lengths, np.nan)


class SquaredNorm:
    """The mean squared norm as a share of all: the chance of a draw, p_i = s_i / sum s.

    value = p_i, where s_i is the mean over visits of (norm / scale)^2. A draw with replacement by
    p_i trains without bias under the weights 1 / (N p_i), see `unbiased_weights`.

    Source:
        Katharopoulos and Fleuret, Not All Samples Are Created Equal, ICML 2018,
        https://arxiv.org/abs/1803.00942 (there p_i by the norm, which has the least variance).
    """

    name, says, reads, needs, columns = "squared_norm", "worth", "norm", FORWARD, _NONE

    def visit(self, state: State, visit: Visit) -> None:
        """Nothing: mean and variance, which the rows keep, add up to the mean square."""

    def value(self, state: State) -> Floats:
        """The chances, shape (N,), which add up to 1."""
        count = np.maximum(state["visits"], 1)
        squares = np.square(state["importance"]) + state["importance_m2"] / count
        return shares(np.where(state["visits"] > 0, squares, np.nan))


class NormalisedNorm:
    """The running norm as a share of all, for weights that change with it.

    value = I_i = norm_i / sum of norms. See `dynamic_weights` for the weight in the loss with its
    threshold. It favours wrong labels: their norms are the largest.

    Source:
        Alain, Lamb, Sankar, Courville, Bengio, Variance Reduction in SGD by Distributed Importance
        Sampling, 2015, https://arxiv.org/abs/1511.06481 (shares by the norm, as chances).
    """

    name, says, reads, needs, columns = "normalised_norm", "worth", "norm", FORWARD, _NONE

    def visit(self, state: State, visit: Visit) -> None:
        """Nothing: the rows keep the mean."""

    def value(self, state: State) -> Floats:
        """The shares, shape (N,), which add up to 1."""
        return shares(np.where(state["visits"] > 0, state["importance"], np.nan))


def shares(values: Floats) -> Floats:
    """Figures, 0 or larger, divided by their sum; NaN where there is none.

    Example:
        >>> shares(np.array([1.0, np.nan, 3.0]))
        array([0.25,  nan, 0.75])
    """
    known = np.where(np.isfinite(values), values, np.nan)
    # subtle: the sum of huge numbers overflows, so the largest becomes 1 first
    largest = np.nanmax(known) if np.isfinite(known).any() else 0
    small = known / largest if largest > 0 else known
    whole = np.nansum(small)
    return np.asarray(small / whole if whole > 0 else small + 1 / max(len(small), 1))
