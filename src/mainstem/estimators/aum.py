"""The area under the margin."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from mainstem.estimators.contract import FORWARD, State
from mainstem.estimators.visit import Floats, Visit

__all__ = ["AUM"]


class AUM:
    """The running mean margin of the logits.

    value = mean over visits of z_y - max over k != y of z_k. Wrong labels have the lowest.

    Source:
        Pleiss, Zhang, Elenberg, Weinberger, Identifying Mislabeled Data using the Area Under the
        Margin Ranking, NeurIPS 2020, https://arxiv.org/abs/2001.10528.
    """

    name, says, reads, needs = "aum", "sound", "margin", FORWARD
    columns: Mapping[str, Any] = {}

    def visit(self, state: State, visit: Visit) -> None:
        """Nothing: the rows keep the mean."""

    def value(self, state: State) -> Floats:
        """The means, shape (N,)."""
        return np.where(state["visits"] > 0, state["margin"], np.nan)
