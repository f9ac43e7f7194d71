"""The margins of canaries under each version.

A sample is compared with the canaries under the version that scored it last, because margins of
different versions are not on one scale.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Canaries"]

_Seen: TypeAlias = tuple[NDArray[np.int64], NDArray[np.float64]]


class Canaries:
    """For each version, the rows of the canaries that it scored and their recent margins then.

    Example:
        >>> canaries = Canaries()
        >>> canaries.saw(1, np.array([0, 3]), np.array([0.5, -1.0]))
        >>> canaries.saw(1, np.array([4]), np.array([2.0]))
        >>> canaries.move(lambda rows: rows - 1)  # row 0 was dropped
        >>> canaries.at(1)
        (array([2, 3]), array([-1.,  2.]))
    """

    def __init__(self) -> None:
        self._seen: dict[int, list[_Seen]] = {}

    def saw(self, version: int, rows: NDArray[np.int64], margins: NDArray[np.float64]) -> None:
        """Record the recent margins of canaries that a version has scored.

        Args:
            version: number of the version.
            rows: rows of the canaries, shape (M,).
            margins: their recent margins after this visit, shape (M,).
        """
        self._seen.setdefault(version, []).append((rows, margins))

    def at(self, version: int) -> _Seen:
        """Rows and recorded margins of all canaries that a version has scored, shape (M,) each."""
        found = self._seen.get(version, [])
        if len(found) != 1:
            rows = np.concatenate([np.zeros(0, np.int64), *(rows for rows, _ in found)])
            margins = np.concatenate([np.zeros(0, np.float64), *(margins for _, margins in found)])
            self._seen[version] = [(rows, margins)]
        return self._seen[version][0]

    def move(self, moved: Callable[[NDArray[np.int64]], NDArray[np.int64]]) -> None:
        """Give the canaries of all versions new rows, and drop those whose new row is negative.

        Args:
            moved: maps old rows to new rows.
        """
        for version in self._seen:
            rows, margins = self.at(version)
            now = moved(rows)
            self._seen[version] = [(now[now >= 0], margins[now >= 0])]
