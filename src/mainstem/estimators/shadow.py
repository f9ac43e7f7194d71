"""Estimators in shadow: they see the stream that the acting one sees, and decide nothing."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mainstem.estimators.contract import Estimator, State, bytes_of, settled
from mainstem.estimators.registry import ACTING, estimator
from mainstem.estimators.visit import Floats, Visit
from mainstem.importance import Rows, Visits

__all__ = ["Shadow"]

_CHANGED: Final = "shadow.changed"


class Shadow:
    """Some estimators beside the acting one, in the rows of any partition.

    Args:
        names: names of the estimators.
        classes: number of classes.
        seed: seed of the run.

    Attributes:
        estimators: the acting one, for comparison, and then the others.
        columns: types of their columns by name, see `Beside`; one more marks changed rows.

    Example:
        >>> shadow = Shadow(["el2n", "aum"])
        >>> list(shadow.columns), [one.name for one in shadow.estimators]
        (['el2n.mean', 'el2n.seen', 'shadow.changed'], ['response_norm', 'el2n', 'aum'])
        >>> rows = Rows(beside=shadow)
    """

    def __init__(self, names: Sequence[str], *, classes: int = 2, seed: int = 0) -> None:
        distinct = dict.fromkeys([ACTING, *names])
        self.estimators: tuple[Estimator, ...] = tuple(
            [estimator(name, seed=seed) for name in distinct]
        )
        self.columns: Mapping[str, Any] = {
            f"{one.name}.{column}": dtype
            for one in self.estimators
            for column, dtype in one.columns.items()
        } | {_CHANGED: np.bool_}
        self._classes = classes

    @property
    def bytes(self) -> int:
        """Bytes that these estimators add to each sample."""
        return sum(map(bytes_of, self.estimators)) + 1

    @property
    def reads_representations(self) -> bool:
        """Whether an estimator reads what the head of a version read of the samples."""
        return any(one.reads == "representation" for one in self.estimators)

    def visit(
        self,
        arrays: Mapping[str, NDArray[Any]],
        rows: NDArray[np.int64],
        visits: Visits,
        places: NDArray[np.int64],
    ) -> None:
        """Count one visit of each row, see `Beside`."""
        visit = Visit.of(visits, places, arrays["label"][rows], self._classes)
        with np.errstate(over="ignore", invalid="ignore"):
            for one in self.estimators:
                one.visit(State(arrays, rows, one.name), visit)
        arrays[_CHANGED][rows] = True

    def revised(self, arrays: Mapping[str, NDArray[Any]], rows: NDArray[np.int64]) -> None:
        """Mark rows whose figures go on under another label version, see `Beside`."""
        arrays[_CHANGED][rows] = True

    def values(self, rows: Rows, representation: NDArray[Any] | None = None) -> dict[str, Floats]:
        """The figures of all rows by the name of the estimator, each of shape (N,).

        Args:
            rows: rows of a partition that this keeps columns in.
            representation: what the head of one version read of each row, shape (N, D), with rows
                of NaN where it is not known; None if it is not known of any.
        """
        arrays = {name: rows[name] for name in rows}
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            return {
                one.name: settled(one.value(State(arrays, slice(None), one.name, representation)))
                for one in self.estimators
            }

    @staticmethod
    def changed(rows: Rows) -> NDArray[np.int64]:
        """Rows that were visited or revised since the last call, shape (M,)."""
        found = np.flatnonzero(rows[_CHANGED])
        rows[_CHANGED][:] = False
        return found
