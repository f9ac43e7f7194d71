"""The two axes of dataset cartography: confidence and variability over visits."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from mainstem.estimators.contract import FORWARD, State
from mainstem.estimators.visit import Floats, Visit

__all__ = ["MeanConfidence", "Variability"]


class MeanConfidence:
    """The mean probability of the label over visits: mu = mean of p_y. Low means hard or wrong.

    Source:
        Swayamdipta et al., Dataset Cartography, EMNLP 2020, https://arxiv.org/abs/2009.10795.
    """

    name, says, reads, needs = "mean_confidence", "sound", "probabilities", FORWARD
    columns: Mapping[str, Any] = {"mean": np.float32, "seen": np.uint16}

    def visit(self, state: State, visit: Visit) -> None:
        """Count the probabilities of the labels."""
        state.count("mean", visit.own)

    def value(self, state: State) -> Floats:
        """The means, shape (N,)."""
        return state.mean("mean")


class Variability:
    """How the probability of the label varies over visits: sigma = its standard deviation.

    It needs two visits. The square sums are Welford's.

    Source:
        Swayamdipta et al., Dataset Cartography, EMNLP 2020, https://arxiv.org/abs/2009.10795.
    """

    name, says, reads, needs = "variability", "worth", "probabilities", FORWARD
    columns: Mapping[str, Any] = {"mean": np.float32, "squares": np.float32, "seen": np.uint16}

    def visit(self, state: State, visit: Visit) -> None:
        """Count the probabilities of the labels, and their squared differences."""
        before = visit.own - state["mean"]
        state.count("mean", visit.own)
        added = before * (visit.own - state["mean"])
        state["squares"] = state["squares"] + np.where(np.isfinite(added), added, 0)

    def value(self, state: State) -> Floats:
        """The standard deviations, shape (N,)."""
        seen = state["seen"].astype(np.float64)
        squares = np.maximum(state["squares"].astype(np.float64), 0)
        return np.where(seen > 1, np.sqrt(squares / np.maximum(seen, 1)), np.nan)
