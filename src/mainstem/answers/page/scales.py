"""Scales of a chart: places of values in a drawing, and the round numbers that name them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

__all__ = ["Scale", "moment", "round_numbers", "short_moment", "thinned"]

_STEPS: Final = (1, 2, 2.5, 5, 10)
_DAY: Final = 86_400_000


@dataclass(frozen=True)
class Scale:
    """A straight line from values to places.

    Attributes:
        low, high: the values at the two ends.
        begin, end: the places of those values, in the units of the drawing.

    Example:
        >>> Scale(0, 10, 100, 200).at(5)
        150.0
        >>> Scale(3, 3, 100, 200).at(3)
        150.0
    """

    low: float
    high: float
    begin: float
    end: float

    def at(self, value: float) -> float:
        """The place of a value; the middle where both ends have one value."""
        if self.high == self.low:
            return (self.begin + self.end) / 2
        share = (value - self.low) / (self.high - self.low)
        return round(self.begin + share * (self.end - self.begin), 2)


def round_numbers(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers that span an interval, in equal steps.

    Args:
        low, high: the interval; both ends lie within the first and the last number.
        most: the number of steps, at most.

    Example:
        >>> round_numbers(0.46, 0.66)
        [0.45, 0.5, 0.55, 0.6, 0.65, 0.7]
        >>> round_numbers(0, 0)
        [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    if high <= low:
        high = low + 1
    size = 10.0 ** math.floor(math.log10((high - low) / most))
    for step in (one * size * power for power in (1, 10) for one in _STEPS):
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        if last - first <= most:
            break
    return [round(number * step, 10) for number in range(first, last + 1)]


def thinned(places: Sequence[float], gap: float) -> list[int]:
    """Which of some ordered places to name so that no two names are closer than a gap.

    Example:
        >>> thinned([0, 4, 11, 12], 10)
        [0, 2]
    """
    kept: list[int] = []
    for number, place in enumerate(places):
        if not kept or place - places[kept[-1]] >= gap:
            kept.append(number)
    return kept


def moment(milliseconds: int) -> str:
    """A moment of event time, in UTC.

    Example:
        >>> moment(1_294_220_100_000)
        '2011-01-05 09:35'
    """
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%d %H:%M}"


def short_moment(milliseconds: int, span: int) -> str:
    """A moment as short as the span of a chart allows: the day, or the time of day.

    Args:
        milliseconds: the moment.
        span: milliseconds from the first to the last moment of the chart.

    Example:
        >>> noon = 1_294_220_100_000
        >>> short_moment(noon, 90 * 86_400_000), short_moment(noon, 3_600_000)
        ('2011-01-05', '09:35')
    """
    told = moment(milliseconds)
    return told[:10] if span >= 3 * _DAY else told[11:] if span < _DAY else told[5:]
