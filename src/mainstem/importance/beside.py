"""Columns that others keep beside those of the rows, and fill at each visit."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mainstem.importance.visits import Visits

__all__ = ["Beside"]


class Beside(Protocol):
    """Whatever keeps columns of its own in the rows of a partition.

    The rows call it, so that its columns grow, shrink and start again with the others.
    """

    @property
    def columns(self) -> Mapping[str, Any]:
        """Types of the columns by name. A sample whose answer changes gets zeros there again."""
        ...

    def visit(
        self,
        arrays: Mapping[str, NDArray[Any]],
        rows: NDArray[np.int64],
        visits: Visits,
        places: NDArray[np.int64],
    ) -> None:
        """Count one visit of each row, after the rows themselves have counted it.

        Args:
            arrays: all columns by name.
            rows: rows of the samples, shape (B,), all different.
            visits: visits of these samples, and of others.
            places: place of the visit of each row among them, shape (B,).
        """
        ...

    def revised(self, arrays: Mapping[str, NDArray[Any]], rows: NDArray[np.int64]) -> None:
        """Learn that some rows have another label version, which says the same.

        Args:
            arrays: all columns by name.
            rows: rows of the samples, shape (B,), all different.
        """
        ...
