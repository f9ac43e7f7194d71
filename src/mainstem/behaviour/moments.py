"""The features of a sample's moment: hour and weekday, as points on circles."""

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mainstem.behaviour.feature import Feature
from mainstem.behaviour.known import Known
from mainstem.behaviour.transforms import circle

__all__ = ["moment_features"]

_DAY: Final = 24 * 3_600_000
_WEEK: Final = 7 * _DAY
_MONDAY: Final = 4 * _DAY  # the first Monday of 1970
_Floats: TypeAlias = NDArray[np.float64]


def _moment(place: int, first: int, period: int) -> Callable[[Known], _Floats]:
    return lambda known: 0.5 * circle(known.field("event_time") - first, period)[place]


def moment_features() -> Iterator[Feature]:
    """The hour of the day and the day of the week, in UTC."""
    for name, first, period in (("hour", 0, _DAY), ("weekday", _MONDAY, _WEEK)):
        for place, curve in enumerate(("sin", "cos")):
            moment = _moment(place, first, period)
            yield Feature(f"{name}_{curve}", f"0.5 {curve} of the UTC {name}", moment)
