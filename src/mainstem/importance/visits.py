"""Visits by one version, many at once, as rows receive them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Self, TypeAlias

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
        version: number of the version that scored the samples.
        scale: mean response norm of the canaries under the version; norms and sketches are
            divided by it.
        keys: sample ids, 16 bytes each.
        facts: facts of the samples, each of shape (B,).
        norm, margin, loss: the responses, shape (B,).
        alignment: cosine with the trusted gradient, shape (B,), NaN where a visit has none; None
            if no visit has one.
        sketch: sketches as the history keeps them, shape (B, k), a row of NaN where a visit has
            none; None if no visit has one.
        logits: logits that the losses were taken of, shape (B, C), a row of NaN where a visit has
            none; None if no visit has any.
        given: label that the log gave to a confirmed sample, shape (B,), -1 for other samples;
            None if no sample is confirmed.
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
    logits: NDArray[np.float32] | None = None
    given: NDArray[np.int64] | None = None

    def only(self, places: NDArray[np.bool_]) -> Self:
        """Some of the visits, under a mask of shape (B,)."""
        chosen = np.flatnonzero(places)
        columns = ("norm", "margin", "loss", "alignment", "sketch", "logits", "given")
        some: dict[str, Any] = {
            name: np.asarray(its)[chosen]
            for name in columns
            if (its := getattr(self, name)) is not None
        }
        some["keys"] = [self.keys[place] for place in chosen.tolist()]
        some["facts"] = Facts(*[column[chosen] for column in self.facts])
        return replace(self, **some)

    def without_sketches(self) -> Self:
        """The same visits for rows that keep no sketches."""
        return replace(self, sketch=None)

    def numbers(self) -> NDArray[np.float64]:
        """Norm over scale, margin and loss, side by side: shape (B, 3)."""
        norm = np.asarray(self.norm, np.float64)
        return np.column_stack([norm / self.scale, self.margin, self.loss])

    def alignments(self) -> NDArray[np.float32]:
        """The alignments, shape (B,); NaN where a visit has none."""
        nothing = np.full(len(self.keys), np.nan, np.float32)
        return nothing if self.alignment is None else np.asarray(self.alignment, np.float32)

    def labels_given(self) -> NDArray[np.int8]:
        """The log's labels of confirmed samples, shape (B,); -1 for other samples."""
        none = np.full(len(self.keys), -1, np.int8)
        return none if self.given is None else np.asarray(self.given, np.int8)

    def sketches(self) -> NDArray[np.float32]:
        """Sketch / scale of each visit, shape (B, k); k is 0 if no visit has one."""
        none = np.zeros((len(self.keys), 0), np.float32)
        found = none if self.sketch is None else np.asarray(self.sketch, np.float32)
        return found / np.float32(self.scale)


def in_turn(keys: Sequence[bytes]) -> Iterator[NDArray[np.int64]]:
    """Indices of the first visit of each sample, then of its second one, and so on.

    A batch holds several visits of a sample that came at several label versions.

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
