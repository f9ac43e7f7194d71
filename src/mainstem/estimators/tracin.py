"""Estimators by the trusted gradient: TracIn and alignment."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from mainstem.estimators.contract import FULL, State
from mainstem.estimators.visit import Floats, Visit

__all__ = ["Alignment", "TracIn"]


class TracIn:
    """How much steps on a sample lowered the trusted loss, added up over versions.

    value = sum over visits k of eta_k <g_k(x), g_k(trusted)>, from the alignment and the norm of
    each visit, with the step eta_k chosen so that the trusted gradient has length 1 and norms are
    over the scale of the version: versions would not be comparable otherwise. Visits without an
    alignment add nothing.

    Source:
        Pruthi, Liu, Kale, Sundararajan, Estimating Training Data Influence by Tracing Gradient
        Descent, NeurIPS 2020, https://arxiv.org/abs/2002.08484.
    """

    name, says, reads, needs = "tracin", "worth", "alignment and norm", FULL
    columns: Mapping[str, Any] = {"sum": np.float32, "seen": np.uint16}

    def visit(self, state: State, visit: Visit) -> None:
        """Add the dots."""
        dot = visit.alignment * visit.norm
        known = np.isfinite(dot)
        state["sum"] = state["sum"] + np.where(known, dot, 0)
        state["seen"] = np.minimum(state["seen"] + known.astype(np.int64), np.iinfo(np.uint16).max)

    def value(self, state: State) -> Floats:
        """The sums, shape (N,)."""
        return state.mean("sum")


class Alignment:
    """The mean cosine of the response with the trusted gradient.

    Source:
        Killamsetty et al., GLISTER, AAAI 2021, https://arxiv.org/abs/2012.10630 (there the dot).
    """

    name, says, reads, needs = "alignment", "worth", "alignment", FULL
    columns: Mapping[str, Any] = {}

    def visit(self, state: State, visit: Visit) -> None:
        """Nothing: the rows keep the mean."""

    def value(self, state: State) -> Floats:
        """The means, shape (N,)."""
        return np.where(state["aligned"] > 0, state["alignment"].astype(np.float64), np.nan)
