"""Estimators by how wrong the model was: EL2N, and the loss."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from mainstem.estimators.contract import FORWARD, State
from mainstem.estimators.visit import Floats, Visit

__all__ = ["EL2N", "Loss"]

_NONE: Final[Mapping[str, Any]] = {}


class EL2N:
    """The running mean length of the error.

    value = mean over visits of || p - onehot(y) ||_2. Its highest figures are wrong labels.

    Source:
        Paul, Ganguli, Dziugaite, Deep Learning on a Data Diet, NeurIPS 2021,
        https://arxiv.org/abs/2107.07075.
    """

    name, says, reads, needs = "el2n", "worth", "probabilities", FORWARD
    columns: Mapping[str, Any] = {"mean": np.float32, "seen": np.uint16}

    def visit(self, state: State, visit: Visit) -> None:
        """Count the lengths of the errors."""
        onehot = np.arange(visit.classes) == visit.label[:, None]
        state.count("mean", np.sqrt(np.square(visit.probabilities - onehot).sum(axis=1)))

    def value(self, state: State) -> Floats:
        """The means, shape (N,)."""
        return state.mean("mean")


class Loss:
    """The running mean loss.

    Source:
        Jiang et al., Accelerating Deep Learning by Focusing on the Biggest Losers, 2019,
        https://arxiv.org/abs/1910.00762 (Selective-Backprop).
    """

    name, says, reads, needs, columns = "loss", "worth", "loss", FORWARD, _NONE

    def visit(self, state: State, visit: Visit) -> None:
        """Nothing: the rows keep the mean."""

    def value(self, state: State) -> Floats:
        """The means, shape (N,)."""
        return np.where(state["visits"] > 0, state["loss"].astype(np.float64), np.nan)
