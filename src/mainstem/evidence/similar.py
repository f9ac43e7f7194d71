"""Evidence by similar trusted samples: which class the trusted samples near a sample have."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mainstem.evidence.contract import Floats, Known, Trusted
from mainstem.evidence.neighbours import of_length_one

__all__ = ["Similar"]

_BLOCK: Final = 4096  # samples that are compared at once; bounds the memory
_LEAST: Final = 0.02  # added to each share, so that its logarithm is finite


@dataclass(frozen=True)
class Similar:
    """True labels of the trusted samples, weighted by how near they lie.

    fit of class c = log(share of c + .02), where a trusted sample at cosine s has the weight
    exp(sharpness * s).

    Attributes:
        same_label: whether only trusted samples count that were given the same label as the
            sample. Their true labels say how often that label is wrong in this neighbourhood.
        sharpness: a higher number lets fewer, nearer samples decide.

    Source:
        Nadaraya, On Estimating Regression, Theory of Probability and its Applications 1964.
    """

    same_label: bool = False
    sharpness: float = 8.0

    learns = True

    @property
    def name(self) -> str:
        """Name of the part."""
        return "similar with its label" if self.same_label else "similar"

    def read(self, known: Known) -> "_Near | None":
        """Read the columns; None if the representation is not known."""
        if known.representation is None or not len(known):
            return None
        label = known.label if self.same_label else None
        return _Near(
            of_length_one(known.representation), label, known.classes, np.float32(self.sharpness)
        )


@dataclass(frozen=True)
class _Near:
    vectors: NDArray[np.float32]
    label: NDArray[np.int64] | None
    classes: int
    sharpness: np.float32

    def fits(self, trusted: Trusted, rows: NDArray[np.int64]) -> Floats:
        """Logarithm of the weighted share of each class, shape (B, C)."""
        truth = np.eye(self.classes, dtype=np.float32)[trusted.truth]  # (T, C)
        shares = np.empty((len(rows), self.classes))
        for start in range(0, len(rows), _BLOCK):
            block = rows[start : start + _BLOCK]
            near = self.vectors[block] @ self.vectors[trusted.rows].T  # (B, T)
            weight = np.exp(self.sharpness * (near - 1))
            weight[block[:, None] == trusted.rows] = 0
            if self.label is not None:
                weight *= self.label[block][:, None] == self.label[trusted.rows]
            found = weight @ truth
            # subtle: far from all trusted samples the weights vanish, and all classes are alike
            total = found.sum(axis=1, keepdims=True)
            alike = 1 / self.classes
            shares[start : start + len(block)] = np.where(
                total > 0, found / np.where(total > 0, total, 1), alike
            )
        return np.asarray(np.log(shares + _LEAST))
