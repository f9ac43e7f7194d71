"""The contract of an estimator: any rule that turns visits into a score of importance or doubt.

An estimator is a value without state. What it must remember of a sample stands in columns of the
rows, which the rows let grow, shrink and start again. So whoever counts the same visits has the
same columns, live or rebuilt.
"""

from collections.abc import Mapping
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from mainstem.estimators.visit import Floats, Visit

__all__ = ["FORWARD", "FULL", "Estimator", "State", "bytes_of", "settled"]

FORWARD: Final = "forward"
FULL: Final = "full"
_LARGEST: Final = 1e30  # beyond it, squares would overflow


class State:
    """The columns of some rows, as one estimator sees them.

    `state[name]` is its own column of that name if it has one, and else the rows' column. Only its
    own columns can be set.

    Args:
        arrays: all columns by name; own ones are called `estimator.column`.
        at: the rows, as numbers of shape (B,), or a slice.
        own: name of the estimator.
        representation: what the head of one version read of each row, shape (B, D), with rows of
            NaN where it is not known; None if it is not known of any.
    """

    def __init__(
        self,
        arrays: Mapping[str, NDArray[Any]],
        at: NDArray[np.int64] | slice,
        own: str,
        representation: NDArray[Any] | None = None,
    ) -> None:
        self._arrays, self._at, self._own = arrays, at, own
        self.representation = representation

    def __getitem__(self, name: str) -> NDArray[Any]:
        mine = f"{self._own}.{name}"
        return self._arrays[mine if mine in self._arrays else name][self._at]

    def __setitem__(self, name: str, values: Any) -> None:
        column = self._arrays[f"{self._own}.{name}"]
        if column.dtype.kind == "f":
            values = np.clip(values, -_LARGEST, _LARGEST)  # NaN stays
        column[self._at] = values

    def count(self, name: str, seen: Floats) -> None:
        """Take figures into a running mean, but for those that are NaN.

        Args:
            name: column of the mean; column `seen` counts what is in it.
            seen: a figure for each row, shape (B,).
        """
        known = np.isfinite(seen)
        counted = np.minimum(self["seen"] + 1, np.iinfo(np.uint16).max)
        mean = self[name].astype(np.float64)
        after = mean + (np.clip(np.where(known, seen, 0), -_LARGEST, _LARGEST) - mean) / counted
        self[name] = np.where(known, after, mean)
        self["seen"] = np.where(known, counted, self["seen"])

    def mean(self, name: str) -> Floats:
        """A running mean, shape (B,); NaN where nothing was counted."""
        return np.where(self["seen"] > 0, self[name].astype(np.float64), np.nan)


class Estimator(Protocol):
    """A rule that turns visits into one figure for each sample.

    A higher figure means that the sample would sooner be core: because it is worth more, or because
    its label is sounder, which `says` tells apart. A sample has no figure, NaN, until it has a
    visit that holds what the estimator reads. Figures are finite or NaN, whatever visits say.
    """

    @property
    def name(self) -> str:
        """The name in settings, tables and answers."""
        ...

    @property
    def says(self) -> str:
        """What a high figure says of a sample: `worth` learning from, or `sound`; or `nothing`."""
        ...

    @property
    def reads(self) -> str:
        """What it reads of a visit, in one or a few words."""
        ...

    @property
    def needs(self) -> str:
        """The cheapest kind of visit that holds that: `forward` or `full`."""
        ...

    @property
    def columns(self) -> Mapping[str, Any]:
        """Types of its own columns by name. What the rows keep anyway costs it nothing."""
        ...

    def visit(self, state: State, visit: Visit) -> None:
        """Count one visit of each row, after the rows themselves have counted it."""
        ...

    def value(self, state: State) -> Floats:
        """The figures of all rows of a partition, shape (N,). It changes nothing."""
        ...


def bytes_of(estimator: Estimator) -> int:
    """Bytes that an estimator adds to each sample.

    Example:
        >>> from mainstem.estimators import estimator
        >>> bytes_of(estimator("response_norm")), bytes_of(estimator("variability"))
        (0, 10)
    """
    return sum(np.dtype(dtype).itemsize for dtype in estimator.columns.values())


def settled(values: NDArray[Any]) -> Floats:
    """Figures as they are told: what is not finite becomes NaN, which means no figure.

    Example:
        >>> settled(np.array([1, np.inf, np.nan]))
        array([ 1., nan, nan])
    """
    found = np.asarray(values, np.float64)
    return np.where(np.isfinite(found), found, np.nan)
