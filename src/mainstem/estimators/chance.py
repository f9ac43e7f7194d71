"""Chance, which every estimator must beat."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from mainstem.estimators.contract import FORWARD, State
from mainstem.estimators.visit import Floats, Visit
from mainstem.importance import mixed

__all__ = ["Random"]

_NONE: Final[Mapping[str, Any]] = {}


@dataclass(frozen=True)
class Random:
    """A number in [0, 1) out of a hash of seed, sample and newest version.

    Another version gives another number, as draws at random anew do.

    Attributes:
        seed: seed of the run.

    Source:
        Okanovic et al., Repeated Random Sampling for Minimizing the Time-to-Accuracy of Learning,
        ICLR 2024, https://arxiv.org/abs/2305.18424 (RS2, the baseline to beat).
    """

    seed: int = 0
    name, says, reads, needs, columns = "random", "nothing", "nothing", FORWARD, _NONE

    def visit(self, state: State, visit: Visit) -> None:
        """Nothing."""

    def value(self, state: State) -> Floats:
        """The numbers, shape (N,)."""
        seed = mixed(np.array([self.seed], np.int64).astype(np.uint64))
        salt = mixed(state["last_version"].astype(np.uint64) ^ seed)
        number = mixed(mixed(state["key_high"] ^ salt) ^ state["key_low"])
        return np.where(state["visits"] > 0, (number >> np.uint64(11)) / 2**53, np.nan)
