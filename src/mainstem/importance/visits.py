"""Visits by one version, many at once: what a row is told of its sample's response."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mainstem.join import PARTS, Facts

__all__ = ["CANARY", "STREAM", "Visits", "in_turn"]

STREAM: Final = PARTS.index("stream")
CANARY: Final = PARTS.index("canary")
_Numbers: TypeAlias = Sequence[float] | NDArray[Any]


@dataclass(frozen=True)
class Visits:
    """B visits by one version.

    Attributes:
        version: the version that scored them.
        scale: the mean response norm of the canaries at that version; norms and sketches are divided by it.
        keys: the sample ids, 16 bytes each.
        facts: of the samples, each of shape (B,).
        norm, margin, loss: the responses, shape (B,).
        alignment: shape (B,), NaN where there is none; None says that there is none at all.
        sketch: as the history keeps them, shape (B, k); a row of NaN where there is none, None likewise.
    """

    version: int
    scale: float
    keys: Sequence[bytes]
    facts: Facts[NDArray[np.int64]]
    norm: _Numbers
    margin: _Numbers
    loss: _Numbers
    alignment: _Numbers | None = None
    sketch: NDArray[Any] | None = None

    def numbers(self) -> NDArray[np.float64]:
        """Norm over scale, margin and loss, side by side: shape (B, 3)."""
        return np.column_stack(
            [np.asarray(self.norm, np.float64) / self.scale, self.margin, self.loss]
        )

    def alignments(self) -> NDArray[np.float32]:
        """The alignments, NaN where there is none."""
        nothing = np.full(len(self.keys), np.nan, np.float32)
        return nothing if self.alignment is None else np.asarray(self.alignment, np.float32)

    def sketches(self) -> NDArray[np.float32]:
        """The sketches over scale, shape (B, k); k is 0 where there are none at all."""
        none = self.sketch is None
        found = (
            np.zeros((len(self.keys), 0), np.float32)
            if none
            else np.asarray(self.sketch, np.float32)
        )
        return found / np.float32(self.scale)


def in_turn(keys: Sequence[bytes]) -> Iterator[NDArray[np.int64]]:
    """Addresses of the first visit of each sample, then those of the second ones (it came at two label versions), and so on.

    Example:
        >>> [places.tolist() for places in in_turn([b"a", b"b", b"a"])]
        [[0, 1], [2]]
    """
    if len(set(keys)) == len(keys):
        yield np.arange(len(keys))
        return
    counts: Counter[bytes] = Counter()
    turns = np.empty(len(keys), np.int64)
    for place, key in enumerate(keys):
        turns[place] = counts[key]
        counts[key] += 1
    for turn in range(turns.max() + 1):
        yield np.flatnonzero(turns == turn)
