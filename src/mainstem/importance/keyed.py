"""Numpy arrays with a row for each 16-byte key, which grow and shrink together."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, SupportsIndex

import numpy as np
from numpy.typing import NDArray

__all__ = ["Keyed"]

_FIRST: Final = 64  # rows allocated at first
_KEY: Final = {"key_high": np.uint64, "key_low": np.uint64}  # the key, as two halves


class Keyed:
    """Arrays of N rows in order of arrival, and the row of each key.

    Args:
        shapes: for the name of each array, its type and the shape of one row. Two arrays with the
            halves of the key are added.

    Attributes:
        arrays: all arrays by name; rows from N on are allocated and unused.

    Example:
        >>> keyed = Keyed({"visits": (np.int32, ())})
        >>> keyed.add([bytes(15) + b"a", bytes(15) + b"b"])
        array([0, 1])
        >>> keyed["visits"][:] = 5, 6
        >>> keyed.keep(np.array([1]))
        array([-1,  0])
        >>> keyed["visits"], keyed.row_of(bytes(15) + b"b"), keyed.row_of(bytes(15) + b"a")
        (array([6], dtype=int32), 0, None)
    """

    def __init__(self, shapes: Mapping[str, tuple[Any, tuple[int, ...]]]) -> None:
        self._rows: dict[bytes, int] = {}
        known = {name: (dtype, ()) for name, dtype in _KEY.items()} | dict(shapes)
        self.arrays: dict[str, NDArray[Any]] = {
            name: np.zeros((_FIRST, *shape), dtype) for name, (dtype, shape) in known.items()
        }

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[str]:
        return iter(self.arrays)

    def __getitem__(self, name: str) -> NDArray[Any]:
        """An array without its unused rows; it is a view, so that writing to it changes it."""
        return self.arrays[name][: len(self)]

    def key_of(self, row: SupportsIndex) -> bytes:
        """The key of a row."""
        halves = int(self.arrays["key_high"][row]), int(self.arrays["key_low"][row])
        return b"".join(half.to_bytes(8, "big") for half in halves)

    def row_of(self, key: bytes) -> int | None:
        """The row of a key, or None if the key is unknown."""
        return self._rows.get(key)

    def rows_of(self, keys: Sequence[bytes]) -> NDArray[np.int64]:
        """Rows of many keys; -1 for unknown keys."""
        return np.array([self._rows.get(key, -1) for key in keys], np.int64)

    def add(self, keys: Sequence[bytes]) -> NDArray[np.int64]:
        """Append a row of zeros for each of some keys, all unknown so far; return the rows."""
        start, end = len(self._rows), len(self._rows) + len(keys)
        self._make_room(end)
        self._rows.update(zip(keys, range(start, end), strict=True))
        for array in self.arrays.values():
            array[start:end] = 0
        halves = np.frombuffer(b"".join(keys), ">u8").reshape(-1, 2)
        arrays = self.arrays
        arrays["key_high"][start:end], arrays["key_low"][start:end] = halves[:, 0], halves[:, 1]
        return np.arange(start, end)

    def keep(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Keep only these rows, in this order.

        Returns:
            The new row of each old one; -1 for a row that is dropped.
        """
        places = np.full(len(self), -1)
        places[rows] = np.arange(len(rows))
        keys = [self.key_of(row) for row in rows]
        for array in self.arrays.values():
            array[: len(rows)] = array[rows]
        self._rows = {key: row for row, key in enumerate(keys)}
        return places

    def _make_room(self, rows: int) -> None:
        room = size = len(self.arrays["key_low"])
        while size < rows:
            size *= 2
        if size > room:
            self.arrays = {
                name: np.resize(array, (size, *array.shape[1:]))
                for name, array in self.arrays.items()
            }
