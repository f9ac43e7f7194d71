"""The margins of canaries under each version.

A sample is compared with the canaries under the version that scored it last, because margins of
different versions are not on one scale.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Canaries"]

_Rows: TypeAlias = NDArray[np.int64]
_Seen: TypeAlias = tuple[_Rows, NDArray[np.float64], NDArray[np.float32]]


class Canaries:
    """For each version, the rows of the canaries that it scored and their margins then.

    Example:
        >>> canaries = Canaries()
        >>> canaries.saw(1, np.array([0, 3]), np.array([0.5, -1.0]), np.array([0.4, 1.5]))
        >>> canaries.saw(1, np.array([4]), np.array([2.0]), np.array([2.0]))
        >>> canaries.move(lambda rows: rows - 1)  # row 0 was dropped
        >>> canaries.at(1)
        (array([2, 3]), array([-1.,  2.]))
        >>> canaries.scores_at(1)
        array([1.5, 2. ])
    """

    def __init__(self) -> None:
        self._seen: dict[int, list[_Seen]] = {}

    def saw(
        self,
        version: int,
        rows: _Rows,
        margins: NDArray[np.float64],
        scores: NDArray[np.float32],
    ) -> None:
        """Record the margins of canaries that a version has scored.

        Args:
            version: number of the version.
            rows: rows of the canaries, shape (M,).
            margins: their recent margins after this visit, shape (M,).
            scores: margins of label 1 at this visit, whatever their labels are, shape (M,).
        """
        self._seen.setdefault(version, []).append((rows, margins, scores))

    def at(self, version: int) -> tuple[_Rows, NDArray[np.float64]]:
        """Rows and recorded margins of all canaries that a version has scored, shape (M,) each."""
        rows, margins, _ = self._at(version)
        return rows, margins

    def scores_at(self, version: int) -> NDArray[np.float32]:
        """Recorded scores of all canaries that a version has scored, shape (M,), as in `at`."""
        return self._at(version)[2]

    def _at(self, version: int) -> _Seen:
        found = self._seen.get(version, [])
        if len(found) != 1:
            none = (np.zeros(0, np.int64), np.zeros(0, np.float64), np.zeros(0, np.float32))
            rows, margins, scores = map(np.concatenate, zip(none, *found, strict=True))
            self._seen[version] = [(rows, margins, scores)]
        return self._seen[version][0]

    def move(self, moved: Callable[[NDArray[np.int64]], NDArray[np.int64]]) -> None:
        """Give the canaries of all versions new rows, and drop those whose new row is negative.

        Args:
            moved: maps old rows to new rows.
        """
        for version in self._seen:
            rows, margins, scores = self._at(version)
            now = moved(rows)
            kept = now >= 0
            self._seen[version] = [(now[kept], margins[kept], scores[kept])]
