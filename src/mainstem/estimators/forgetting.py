"""Forgetting events."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from mainstem.estimators.contract import FORWARD, State
from mainstem.estimators.visit import Floats, Visit

__all__ = ["Forgetting"]

_NEVER_LEARNT: Final = 1000.0


class Forgetting:
    """How often a sample was right at a visit and wrong at the next one.

    value = number of such visits, or 1,000 if it was never right. A sample is right where its
    margin is above 0.

    Source:
        Toneva et al., An Empirical Study of Example Forgetting, ICLR 2019,
        https://arxiv.org/abs/1812.05159; Swayamdipta et al., Dataset Cartography, EMNLP 2020,
        https://arxiv.org/abs/2009.10795 (1,000 for infinity).
    """

    name, says, reads, needs = "forgetting", "worth", "margin", FORWARD
    columns: Mapping[str, Any] = {
        "forgotten": np.uint16,
        "seen": np.uint16,
        "is_right": np.bool_,
        "was_ever": np.bool_,
    }

    def visit(self, state: State, visit: Visit) -> None:
        """Count the visits that forgot; one without a margin is none."""
        known, right = np.isfinite(visit.margin), visit.margin > 0
        forgot = known & state["is_right"] & ~right
        most = np.iinfo(np.uint16).max
        state["forgotten"] = np.minimum(state["forgotten"] + forgot.astype(np.int64), most)
        state["seen"] = np.minimum(state["seen"] + known.astype(np.int64), most)
        state["is_right"] = np.where(known, right, state["is_right"])
        state["was_ever"] = state["was_ever"] | right

    def value(self, state: State) -> Floats:
        """The numbers, shape (N,)."""
        counted = np.where(state["was_ever"], state["forgotten"], _NEVER_LEARNT)
        return np.where(state["seen"] > 0, counted, np.nan)
