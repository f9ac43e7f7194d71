"""How well a judgement divides samples whose truth is known and that it does not judge."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mainstem.importance import Rows
from mainstem.standing.conformal import Floats

__all__ = ["HeldOut", "Measured"]


@dataclass(frozen=True)
class HeldOut:
    """Confirmed samples of the gate, and what evidence that did not see them says of their labels.

    Attributes:
        rows: rows that hold them, among others.
        places: their rows there, shape (M,).
        p_value, right: p-value and probability that the label of the log is right, shape (M,).
        wrong: whether the label of the log is not the confirmed one, shape (M,).
    """

    rows: Rows
    places: NDArray[np.int64]
    p_value: Floats
    right: Floats
    wrong: NDArray[np.bool_]


@dataclass(frozen=True)
class Measured:
    """Confirmed samples of the gate by the set that the levels of a judgement put them into.

    Attributes:
        gate_core, gate_edge, gate_noise: number of samples in each set.
        gate_core_wrong, gate_edge_wrong, gate_noise_wrong: how many of them have a wrong label in
            the log.
    """

    gate_core: int = 0
    gate_core_wrong: int = 0
    gate_edge: int = 0
    gate_edge_wrong: int = 0
    gate_noise: int = 0
    gate_noise_wrong: int = 0

    @classmethod
    def of(cls, sets: NDArray[np.str_], wrong: NDArray[np.bool_]) -> "Measured":
        """Count samples by set.

        Args:
            sets: set of each sample, `core`, `edge` or `noise`, shape (M,).
            wrong: whether the label of each is wrong, shape (M,).

        Example:
            >>> found = Measured.of(np.array(["core", "edge", "edge"]), np.array([0, 1, 0], bool))
            >>> found.gate_core, found.gate_core_wrong, found.gate_edge, found.gate_edge_wrong
            (1, 0, 2, 1)
        """
        counts = {}
        for name in ("core", "edge", "noise"):
            counts[f"gate_{name}"] = int((sets == name).sum())
            counts[f"gate_{name}_wrong"] = int(((sets == name) & wrong).sum())
        return cls(**counts)
