"""Running means over visits, updated in place: every update costs the same.

Means and variances are Welford's, and nothing is kept for a single visit. Each function takes
arrays by name and the rows, all different, for which it counts one more visit.
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
    "importance_m2": np.float64,  # sum of squared differences from the mean
    "recent_importance": np.float64,  # decayed mean: a visit counts half as much as the next one
    "margin": np.float64,  # running mean
    "margin_m2": np.float32,  # sum of squared differences from the mean
    "loss": np.float32,  # running mean
    "alignment": np.float32,  # running mean over the visits that have one
    "aligned": np.uint16,  # number of visits that have an alignment
    "sketched": np.uint16,  # number of visits whose sketch is in the mean sketch
}
"""Columns that add up over visits, with their types; they start at 0 again with another label.

The mean sketch does so too.
"""


def count_numbers(arrays: _Arrays, rows: _Rows, numbers: NDArray[np.float64]) -> None:
    """Count norm / scale, margin and loss of one visit for each row.

    Args:
        arrays: columns by name.
        rows: rows of the samples, shape (B,).
        numbers: norm / scale, margin and loss side by side, shape (B, 3).
    """
    is_first = arrays["visits"][rows] == 0
    for place, name in enumerate(("recent_importance", "recent_margin")):
        recent, seen = arrays[name], numbers[:, place]
        recent[rows] = np.where(is_first, seen, (recent[rows] + seen) / 2)
    arrays["visits"][rows] += 1
    count = arrays["visits"][rows]
    for place, name in enumerate(("importance", "margin")):
        before = numbers[:, place] - arrays[name][rows]
        arrays[name][rows] += before / count
        squares = arrays[f"{name}_m2"]
        added = squares[rows] + before * (numbers[:, place] - arrays[name][rows])
        squares[rows] = np.minimum(added, np.finfo(squares.dtype).max)
    arrays["loss"][rows] += (numbers[:, 2] - arrays["loss"][rows]) / count


def count_alignment(arrays: _Arrays, rows: _Rows, alignment: NDArray[np.float32]) -> None:
    """Count alignments, shape (B,); NaN means that a visit has none, and is not counted."""
    known = ~np.isnan(alignment)
    rows = rows[known]
    arrays["aligned"][rows] += 1
    count = arrays["aligned"][rows]
    arrays["alignment"][rows] += (alignment[known] - arrays["alignment"][rows]) / count


def count_sketch(arrays: _Arrays, rows: _Rows, sketch: NDArray[np.float32]) -> None:
    """Count sketches, shape (B, k); a row of NaN means that a visit has none; it is not counted."""
    if not sketch.shape[1]:
        return
    known = ~np.isnan(sketch[:, 0])
    rows = rows[known]
    arrays["sketched"][rows] += 1
    count = arrays["sketched"][rows]
    arrays["sketch"][rows] = mean_with(arrays["sketch"][rows], sketch[known], count)
