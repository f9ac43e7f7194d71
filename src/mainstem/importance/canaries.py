"""What each version thought of the canaries: a sample is held against them as the version that last scored it saw them."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Canaries"]

_Seen: TypeAlias = tuple[NDArray[np.int64], NDArray[np.float64]]


class Canaries:
    """By version, the rows of the canaries that it scored and their recent margins as of then.

    Example:
        >>> canaries = Canaries()
        >>> canaries.saw(1, np.array([0, 3]), np.array([0.5, -1.0]))
        >>> canaries.saw(1, np.array([4]), np.array([2.0]))
        >>> canaries.move(lambda rows: rows - 1)  # row 0 has left
        >>> canaries.at(1)
        (array([2, 3]), array([-1.,  2.]))
    """

    def __init__(self) -> None:
        self._seen: dict[int, list[_Seen]] = {}

    def saw(self, version: int, rows: NDArray[np.int64], margins: NDArray[np.float64]) -> None:
        """A version scored these canaries too."""
        self._seen.setdefault(version, []).append((rows, margins))

    def at(self, version: int) -> _Seen:
        """Rows and recent margins, as of then, of the canaries that a version scored: two arrays of one shape."""
        found = self._seen.get(version, [])
        if len(found) != 1:
            rows = np.concatenate([np.zeros(0, np.int64), *(rows for rows, _ in found)])
            margins = np.concatenate([np.zeros(0, np.float64), *(margins for _, margins in found)])
            self._seen[version] = [(rows, margins)]
        return self._seen[version][0]

    def move(self, moved: Callable[[NDArray[np.int64]], NDArray[np.int64]]) -> None:
        """Give the canaries of all versions their new rows; one whose new row is negative is let go."""
        for version in self._seen:
            rows, margins = self.at(version)
            now = moved(rows)
            self._seen[version] = [(now[now >= 0], margins[now >= 0])]
