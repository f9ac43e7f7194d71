"""Running means of what visits say, kept in place: an update costs the same at visit 2 and at visit 2,000.

Means and variances are Welford's, and nothing is kept per visit. Each function takes arrays by name and the rows, all
different, that one more visit is counted in.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mainstem.importance.sketches import mean_with

__all__ = ["ADDED_UP", "count_alignment", "count_numbers", "count_sketch"]

_Arrays: TypeAlias = Mapping[str, NDArray[Any]]
_Rows: TypeAlias = NDArray[np.int64]

ADDED_UP: Final[Mapping[str, Any]] = {
    "visits": np.int32,
    "importance": np.float64,  # running mean of norm / scale
    "importance_m2": np.float64,  # sum of squared differences from it
    "margin": np.float64,  # running mean
    "margin_m2": np.float64,
    "loss": np.float64,  # running mean
    "alignment": np.float32,  # running mean over the visits that have one
    "aligned": np.int32,  # how many have
    "sketched": np.int32,  # visits whose sketch is in the mean sketch
}
"""What is added up here, and begins at nothing with another label; the mean sketch likewise."""


def count_numbers(arrays: _Arrays, rows: _Rows, numbers: NDArray[np.float64]) -> None:
    """Count norm over scale, margin and loss, shape (B, 3): means, squared differences, and the decayed margin."""
    first = arrays["visits"][rows] == 0
    arrays["recent_margin"][rows] = np.where(
        first, numbers[:, 1], (arrays["recent_margin"][rows] + numbers[:, 1]) / 2
    )
    arrays["visits"][rows] += 1
    count = arrays["visits"][rows]
    for place, name in enumerate(("importance", "margin")):
        before = numbers[:, place] - arrays[name][rows]
        arrays[name][rows] += before / count
        arrays[f"{name}_m2"][rows] += before * (numbers[:, place] - arrays[name][rows])
    arrays["loss"][rows] += (numbers[:, 2] - arrays["loss"][rows]) / count


def count_alignment(arrays: _Arrays, rows: _Rows, alignment: NDArray[np.float32]) -> None:
    """Count the alignments, shape (B,), of those that have one: NaN says that there is none."""
    known = ~np.isnan(alignment)
    rows = rows[known]
    arrays["aligned"][rows] += 1
    arrays["alignment"][rows] += (alignment[known] - arrays["alignment"][rows]) / arrays["aligned"][
        rows
    ]


def count_sketch(arrays: _Arrays, rows: _Rows, sketch: NDArray[np.float32]) -> None:
    """Count the sketches, shape (B, k), of those that have one: a row of NaN says that there is none."""
    if not sketch.shape[1]:
        return
    known = ~np.isnan(sketch[:, 0])
    rows = rows[known]
    arrays["sketched"][rows] += 1
    arrays["sketch"][rows] = mean_with(
        arrays["sketch"][rows], sketch[known], arrays["sketched"][rows]
    )
