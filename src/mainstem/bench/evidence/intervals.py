"""A measure against what it is to reach: its mean over seeds, with an interval."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from scipy.stats import t

__all__ = ["Measure", "weakest"]

_LEVEL: Final = 0.95


@dataclass(frozen=True)
class Measure:
    """A measure of several seeds or draws.

    Attributes:
        name: what is measured.
        values: the measure of each seed or draw; None where it is not defined.
        reach: what the mean is to reach.
        at_most: whether the mean is to stay below `reach`, not above.
    """

    name: str
    values: Sequence[float | None]
    reach: float
    at_most: bool = False

    @property
    def numbers(self) -> list[float]:
        """The values that are defined."""
        return [one for one in self.values if one is not None]

    @property
    def excess(self) -> float:
        """How far the mean is on the right side of `reach`; below 0 on the wrong one."""
        over = float(np.mean(self.numbers)) - self.reach
        return -over if self.at_most else over

    def told(self) -> dict[str, Any]:
        """The measure as a row: `name`, `reach`, `mean`, `low`, `high` and `holds`.

        The interval holds the mean with 95 %, if values are normally distributed; it is None for
        fewer than two values.

        Example:
            >>> Measure("called", [3, 5], 5, at_most=True).told()["holds"]
            True
        """
        numbers = self.numbers
        count, mean = len(numbers), float(np.mean(numbers))
        low = high = None
        if count > 1:
            spread = float(np.std(numbers, ddof=1)) / count**0.5
            half = float(t.ppf((1 + _LEVEL) / 2, count - 1)) * spread
            low, high = mean - half, mean + half
        return {
            "name": self.name,
            "reach": self.reach,
            "mean": mean,
            "low": low,
            "high": high,
            "holds": self.excess >= 0,
        }


def weakest(measures: Sequence[Measure]) -> Measure | None:
    """The measure that is furthest from what it is to reach; None without any that is defined."""
    return min((one for one in measures if one.numbers), key=lambda one: one.excess, default=None)
