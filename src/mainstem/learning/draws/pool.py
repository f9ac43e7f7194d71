"""The samples that a round may draw from: columns of all partitions, from rows or the history."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from mainstem.importance import Rows
from mainstem.standing import REASONS, STANDINGS
from mainstem.store import Store
from mainstem.store.figures import DRAWABLE, Drawable

__all__ = ["RowsPool", "StoredPool"]

_DTYPES: Final[dict[str, Any]] = {
    "key_high": np.uint64,
    "key_low": np.uint64,
    "label_version": np.uint32,
    "partition": np.uint32,
    "offset": np.int64,
    "event_time": np.int64,
    "importance": np.float64,
    "recent_importance": np.float64,
    "weight": np.float32,
    "standing": np.int8,
    "reason": np.int8,
}
_CHUNK: Final = 65_536


class RowsPool:
    """The columns of several partitions, one after the other.

    Args:
        parts: rows of the partitions.
    """

    def __init__(self, parts: Sequence[Rows]) -> None:
        self._parts = parts

    def __getitem__(self, name: str, /) -> NDArray[Any]:
        """A column, shape (N,)."""
        return np.concatenate([part[name] for part in self._parts])

    def id_of(self, row: int) -> UUID:
        """The sample id in a row."""
        for part in self._parts:
            if row < len(part):
                return part.id_of(row)
            row -= len(part)
        raise IndexError(row)


class StoredPool:
    """The same columns from the history, streamed: about 63 bytes a sample.

    Each sample has its current importance, as every view and command reports it.

    Args:
        store: the history.
    """

    def __init__(self, store: Store) -> None:
        chunks: dict[str, list[NDArray[Any]]] = {}
        chunks |= {name: [np.zeros(0, dtype)] for name, dtype in _DTYPES.items()}
        rows: list[Drawable] = []
        for row in DRAWABLE.stream(store):
            rows.append(row)
            if len(rows) == _CHUNK:
                _add(chunks, rows)
                rows = []
        _add(chunks, rows)
        self._arrays = {name: np.concatenate(parts) for name, parts in chunks.items()}

    def __getitem__(self, name: str, /) -> NDArray[Any]:
        """A column, shape (N,)."""
        return self._arrays[name]

    def id_of(self, row: int) -> UUID:
        """The sample id in a row."""
        high, low = self._arrays["key_high"][row], self._arrays["key_low"][row]
        return UUID(int=(int(high) << 64) | int(low))


def _add(chunks: dict[str, list[NDArray[Any]]], rows: list[Drawable]) -> None:
    if not rows:
        return
    ids, *numbers, standing, reason = zip(*rows, strict=True)
    label_version, partition, offset, event_time, importance, recent_importance, weight = numbers
    values = {
        "key_high": [one.int >> 64 for one in ids],
        "key_low": [one.int & 0xFFFF_FFFF_FFFF_FFFF for one in ids],
        "label_version": label_version,
        "partition": partition,
        "offset": offset,
        "event_time": event_time,
        "importance": importance,
        "recent_importance": recent_importance,
        "weight": weight,
        "standing": [STANDINGS.index(one or "edge") for one in standing],
        "reason": [REASONS.index(one or "new") for one in reason],
    }
    for name, dtype in _DTYPES.items():
        chunks[name].append(np.array(values[name], dtype))
