"""One row per sample: what its visits added up to. Numpy columns, about 100 bytes a sample, rebuilt from the history.

Running means and variances are Welford's, so that an update costs the same at visit 2 and at visit 2,000, and nothing is
kept per visit. A sample whose label changes starts again: its old responses answer another question.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, SupportsIndex
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

__all__ = ["CANARY", "STREAM", "Columns"]

STREAM: Final = 0
CANARY: Final = 1
_DTYPES: Final[Mapping[str, Any]] = {
    "key_high": np.uint64,  # the sample id, as two halves
    "key_low": np.uint64,
    "label_version": np.uint32,
    "partition": np.uint32,
    "offset": np.int64,  # in its partition of `samples`
    "event_time": np.int64,
    "label": np.int8,
    "part": np.int8,  # STREAM or CANARY
    "visits": np.int32,
    "last_version": np.int32,
    "importance": np.float64,  # running mean of norm / scale
    "importance_m2": np.float64,  # sum of squared differences from it
    "margin": np.float64,  # running mean
    "margin_m2": np.float64,
    "loss": np.float64,  # running mean
    "first_margin": np.float64,  # out of sample: before any training on it; NaN once relabelled
    "drawn": np.bool_,  # a promoted version was trained on this label
    "stale": np.bool_,  # a promoted version was trained on an earlier, other label
    "standing": np.int8,
    "reason": np.int8,
    "judged": np.int64,  # label version at the last judgement; -1 before the first
}


class Columns:
    """Columns of the samples of one partition; attributes are numpy arrays of shape (N,), in order of arrival.

    Example:
        >>> columns = Columns()
        >>> one = dict(label_version=0, partition=0, offset=0, event_time=0, label=1, part=STREAM)
        >>> id = UUID(int=7)
        >>> columns.visit(version=1, scale=2.0, ids=[id], facts=[one], norm=[4.0], margin=[-1.0], loss=[1.3])
        >>> columns.visit(version=2, scale=2.0, ids=[id], facts=[one], norm=[2.0], margin=[1.0], loss=[0.3])
        >>> columns["visits"], columns["importance"], columns["margin"], columns["first_margin"]
        (array([2], dtype=int32), array([1.5]), array([0.]), array([-1.]))
    """

    def __init__(self) -> None:
        self._rows: dict[bytes, int] = {}
        self._arrays = {name: np.zeros(64, dtype) for name, dtype in _DTYPES.items()}

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, name: str) -> NDArray[Any]:
        """A column; a view, so that writing to it changes it."""
        return self._arrays[name][: len(self)]

    def id_of(self, row: SupportsIndex) -> UUID:
        """The sample id in a row."""
        return UUID(int=(int(self._arrays["key_high"][row]) << 64) | int(self._arrays["key_low"][row]))

    def row_of(self, sample_id: UUID) -> int | None:
        """The row of a sample, or None where it is not here."""
        return self._rows.get(sample_id.bytes)

    def visit(
        self,
        *,
        version: int,
        scale: float,
        ids: Sequence[UUID],
        facts: Sequence[Mapping[str, int]],
        norm: Sequence[float] | NDArray[Any],
        margin: Sequence[float] | NDArray[Any],
        loss: Sequence[float] | NDArray[Any],
    ) -> None:
        """Count one visit of each sample.

        Args:
            version: that scored them. A sample already scored by it is not counted again.
            scale: mean response norm of the canaries at that version; norms are divided by it.
            ids: B sample ids.
            facts: label_version, partition, offset, event_time, label and part of each.
            norm, margin, loss: their responses, shape (B,).
        """
        values = np.column_stack([np.asarray(norm, np.float64) / scale, margin, loss])  # (B, 3)
        rows = np.empty(len(ids), np.int64)
        start = 0
        for i, (sample_id, fact) in enumerate(zip(ids, facts, strict=True)):
            row = self._rows.get(sample_id.bytes)
            if row is not None and row in rows[start:i]:  # the same sample at two label versions: in turn
                self._update(rows[start:i], values[start:i], version)
                start = i
            rows[i] = self._admit(sample_id, fact)
        self._update(rows[start:], values[start:], version)

    def mark_drawn(self, ids: Sequence[UUID]) -> None:
        """A promoted version was trained on these samples, with the labels they have here."""
        rows = [row for row in map(self.row_of, ids) if row is not None]
        self["drawn"][rows] = True

    def leave(self, before: int) -> None:
        """Let samples older than an event time leave; they come back when they are scored again."""
        keep = np.flatnonzero(self["event_time"] >= before)
        if len(keep) == len(self):
            return
        ids = [self.id_of(row).bytes for row in keep]
        for name, array in self._arrays.items():
            kept = array[keep]
            array[: len(kept)] = kept
            self._arrays[name] = array
        self._rows = {sample_id: row for row, sample_id in enumerate(ids)}

    def _admit(self, sample_id: UUID, fact: Mapping[str, int]) -> int:
        """The row of a sample, made new or started again where it is new or its label changed."""
        row = self._rows.get(sample_id.bytes)
        if row is None:
            row = self._new_row(sample_id)
            self._begin(row, fact)
        elif fact["label_version"] > self._arrays["label_version"][row]:
            self._revise(row, fact)
        return row

    def _new_row(self, sample_id: UUID) -> int:
        row = len(self._rows)
        if row == len(self._arrays["visits"]):
            self._arrays = {name: np.resize(array, 2 * row) for name, array in self._arrays.items()}
        self._rows[sample_id.bytes] = row
        for name in _DTYPES:
            self._arrays[name][row] = 0
        self._arrays["judged"][row] = -1
        self._arrays["key_high"][row] = sample_id.int >> 64
        self._arrays["key_low"][row] = sample_id.int & 0xFFFF_FFFF_FFFF_FFFF
        return row

    def _begin(self, row: int, fact: Mapping[str, int]) -> None:
        for name in ("label_version", "partition", "offset", "event_time", "label", "part"):
            self._arrays[name][row] = fact[name]
        for name in ("visits", "importance", "importance_m2", "margin", "margin_m2", "loss"):
            self._arrays[name][row] = 0
        self._arrays["last_version"][row] = -1

    def _revise(self, row: int, fact: Mapping[str, int]) -> None:
        arrays = self._arrays
        if fact["label"] == arrays["label"][row]:  # the same answer again: what its visits said still holds
            arrays["label_version"][row], arrays["offset"][row] = fact["label_version"], fact["offset"]
            return
        self._begin(row, fact)
        arrays["first_margin"][row] = np.nan
        arrays["stale"][row] |= arrays["drawn"][row]
        arrays["drawn"][row] = False

    def _update(self, rows: NDArray[np.int64], values: NDArray[np.float64], version: int) -> None:
        arrays = self._arrays
        new = arrays["last_version"][rows] < version
        rows, values = rows[new], values[new]
        first = (arrays["visits"][rows] == 0) & ~np.isnan(arrays["first_margin"][rows])
        arrays["first_margin"][rows[first]] = values[first, 1]
        arrays["last_version"][rows] = version
        arrays["visits"][rows] += 1
        count = arrays["visits"][rows]
        for place, name in enumerate(("importance", "margin")):
            before = values[:, place] - arrays[name][rows]
            arrays[name][rows] += before / count
            arrays[f"{name}_m2"][rows] += before * (values[:, place] - arrays[name][rows])
        arrays["loss"][rows] += (values[:, 2] - arrays["loss"][rows]) / count
