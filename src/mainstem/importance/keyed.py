"""Numpy arrays with a row for each 16-byte key, which grow and shrink together. What is in them is no matter here."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, SupportsIndex

import numpy as np
from numpy.typing import NDArray

__all__ = ["Keyed"]

_FIRST: Final = 64  # rows that there is room for at first
_KEY: Final = {"key_high": np.uint64, "key_low": np.uint64}  # the key, as two halves


class Keyed:
    """Arrays of N rows, in order of arrival, and the row of each key.

    Args:
        shapes: name of each array, its type, and the shape of one row of it. The key's own two halves come beside them.

    Attributes:
        arrays: all arrays by name. Rows from N on are room that is left.

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
        """An array without the room that is left; a view, so that writing to it changes it."""
        return self.arrays[name][: len(self)]

    def key_of(self, row: SupportsIndex) -> bytes:
        """The key of a row."""
        halves = int(self.arrays["key_high"][row]), int(self.arrays["key_low"][row])
        return b"".join(half.to_bytes(8, "big") for half in halves)

    def row_of(self, key: bytes) -> int | None:
        """The row of a key, or None where it is not here."""
        return self._rows.get(key)

    def rows_of(self, keys: Sequence[bytes]) -> NDArray[np.int64]:
        """Rows of many keys; -1 for those that are not here."""
        return np.array([self._rows.get(key, -1) for key in keys], np.int64)

    def add(self, keys: Sequence[bytes]) -> NDArray[np.int64]:
        """New rows, of zeros, for keys that are not here yet."""
        start, end = len(self._rows), len(self._rows) + len(keys)
        self._make_room(end)
        self._rows.update(zip(keys, range(start, end), strict=True))
        for array in self.arrays.values():
            array[start:end] = 0
        halves = np.frombuffer(b"".join(keys), ">u8").reshape(-1, 2)
        self.arrays["key_high"][start:end], self.arrays["key_low"][start:end] = (
            halves[:, 0],
            halves[:, 1],
        )
        return np.arange(start, end)

    def keep(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Keep these rows, in their order, and no others; gives the new row of each old one, -1 where it is gone."""
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
