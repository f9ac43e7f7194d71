"""Estimators by the curvature of the loss, in the space of sketches."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from mainstem.estimators.contract import FULL, State
from mainstem.estimators.visit import Floats, Visit

__all__ = ["InformationGain", "Leverage", "leverage_of"]

_NONE: Final[Mapping[str, Any]] = {}
_DAMPING: Final = 0.1  # of the mean eigenvalue
_CHUNK: Final = 16_384


class Leverage:
    """Gauss-Newton leverage: how far a response lies out of what the others span.

    value = s_i' (S'S / N + lambda I)^-1 s_i, where S holds the mean sketches of the partition, and
    lambda is a tenth of the mean eigenvalue of S'S / N. It is the influence of a sample on itself
    under the Hessian that Gauss and Newton take.

    Source:
        Koh and Liang, Understanding Black-box Predictions via Influence Functions, ICML 2017,
        https://arxiv.org/abs/1703.04730; Park et al., TRAK, ICML 2023,
        https://arxiv.org/abs/2303.14186 (in a projected space).
    """

    name, says, reads, needs, columns = "leverage", "worth", "sketch", FULL, _NONE

    def visit(self, state: State, visit: Visit) -> None:
        """Nothing: the rows keep the mean sketch."""

    def value(self, state: State) -> Floats:
        """The leverages, shape (N,)."""
        return leverage_of(state["sketch"], state["sketched"] > 0)


class InformationGain:
    """Expected information gain: what a sample would tell of the weights, in nats.

    value = 1/2 log(1 + leverage_i / N), for a prior of all N samples and a Gaussian posterior. It
    ranks as leverage does, so it likes wrong labels as much.

    Source:
        MacKay, Information-Based Objective Functions for Active Data Selection, Neural Computation
        1992, https://doi.org/10.1162/neco.1992.4.4.590.
    """

    name, says, reads, needs, columns = "information_gain", "worth", "sketch", FULL, _NONE

    def visit(self, state: State, visit: Visit) -> None:
        """Nothing: the rows keep the mean sketch."""

    def value(self, state: State) -> Floats:
        """The gains, shape (N,)."""
        known = state["sketched"] > 0
        return 0.5 * np.log1p(leverage_of(state["sketch"], known) / max(int(known.sum()), 1))


def leverage_of(sketches: NDArray[Any], known: NDArray[np.bool_]) -> Floats:
    """s_i' (S'S / N + lambda I)^-1 s_i for each row; NaN where a row is not known or not finite.

    Args:
        sketches: shape (N, k).
        known: which rows are sketches, shape (N,).

    Example:
        >>> leverage_of(np.eye(2), np.array([True, True])).round(3)  # 1 / (0.5 + 0.05)
        array([1.818, 1.818])
    """
    found = np.full(len(sketches), np.nan)
    places = np.flatnonzero(known & np.isfinite(sketches).all(axis=1))
    if not len(places) or not sketches.shape[1]:
        return found
    chunks = np.split(places, range(_CHUNK, len(places), _CHUNK))
    gram = np.zeros((sketches.shape[1],) * 2)
    for chunk in chunks:
        some = sketches[chunk].astype(np.float64)
        gram += some.T @ some
    gram /= len(places)
    mean = float(np.trace(gram)) / len(gram)
    if mean <= 0:
        found[places] = 0
        return found
    lower = np.linalg.cholesky(gram + _DAMPING * mean * np.eye(len(gram)))
    for chunk in chunks:
        solved = solve_triangular(lower, sketches[chunk].astype(np.float64).T, lower=True)
        found[chunk] = np.square(solved).sum(axis=0)
    return found
