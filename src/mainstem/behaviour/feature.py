"""One feature: its name, its formula, and how it is computed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mainstem.behaviour.known import Known
from mainstem.behaviour.transforms import Words

__all__ = ["Feature", "bounded"]

_LARGEST: Final = 3.0
_Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Feature:
    """One feature.

    Attributes:
        name: short name.
        transform: how it is computed, as a formula that the manifest of a version keeps.
        raw: computes it for N samples, shape (N,); NaN where it is not known.
        of_texts: computes it from a query and an item's text alone; None if it reads more.
    """

    name: str
    transform: str
    raw: Callable[[Known], _Floats]
    of_texts: Callable[[Words], _Floats] | None = None

    def values(self, known: Known) -> NDArray[np.float32]:
        """The feature of N samples, within [-3, 3], shape (N,); 0 where it is not known."""
        return bounded(self.raw(known))


def bounded(values: _Floats) -> NDArray[np.float32]:
    """Values within [-3, 3]; 0 in place of NaN."""
    return np.clip(np.nan_to_num(values, nan=0.0), -_LARGEST, _LARGEST).astype(np.float32)
