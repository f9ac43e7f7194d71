"""Excess loss against a model that was held out from the sample."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from mainstem.estimators.contract import FORWARD, State
from mainstem.estimators.visit import Floats, Visit

__all__ = ["ExcessLoss"]


class ExcessLoss:
    """The newest loss less that of a version that never trained on the sample.

    value = L_newest - L_first. On a stream a sample is scored before any version can have been
    trained on it, so the version of its first visit is held out from it. It saw less than a model
    of a separate held-out set would, so what it could not know counts as what cannot be learnt. A
    sample has no value before its second visit.

    Source:
        Mindermann et al., Prioritized Training on Points that are Learnable, Worth Learning, and
        Not Yet Learnt, ICML 2022, https://arxiv.org/abs/2206.07137 (RHO-LOSS, there by a model
        trained on a held-out set).
    """

    name, says, reads, needs = "excess_loss", "worth", "loss", FORWARD
    columns: Mapping[str, Any] = {"first": np.float32, "newest": np.float32}

    def visit(self, state: State, visit: Visit) -> None:
        """Keep the first and the newest loss."""
        state["first"] = np.where(state["visits"] == 1, visit.loss, state["first"])
        state["newest"] = visit.loss

    def value(self, state: State) -> Floats:
        """The differences, shape (N,)."""
        excess = state["newest"].astype(np.float64) - state["first"]
        return np.where(state["visits"] > 1, excess, np.nan)
