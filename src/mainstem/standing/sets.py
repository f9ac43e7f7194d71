"""The sets that samples are divided into: core, edge and noise, with the reason."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mainstem.importance import Rows
from mainstem.settings import Standing
from mainstem.standing.conformal import Floats

__all__ = [
    "CONTRADICTORY",
    "CORE",
    "EDGE",
    "NOISE",
    "REASONS",
    "SPENT",
    "STANDINGS",
    "importance_error",
    "sets_of",
]

EDGE: Final = 0  # every sample starts here
CORE: Final = 1
NOISE: Final = 2
STANDINGS: Final = ("edge", "core", "noise")

NEW, UNPROVEN, UNDECIDED, DOUBTFUL, IMPORTANT, CONTRADICTORY, SPENT = range(7)
REASONS: Final = (
    "new",
    "too few canaries",
    "undecided",
    "doubtful",
    "important",
    "contradictory",
    "spent",
)

# the pooled variance counts as much as this many visits of a sample itself
_PRIOR_VISITS: Final = 2.0


def sets_of(
    rows: Rows,
    error: Floats,
    p_value: Floats,
    right: Floats | None,
    contradictory: NDArray[np.bool_],
    level: float,
    settings: Standing,
) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Standings and reasons of the samples in rows, by the levels of a judgement.

    Args:
        rows: rows of N samples.
        error: standard error of each sample's importance, shape (N,).
        p_value: p-value of each sample, shape (N,); NaN where it has none.
        right: probability that each label is right, shape (N,); None where nothing tells it.
        contradictory: whether each sample is proven to have a wrong label, shape (N,).
        level: importance that a sample must exceed to be core.
        settings: thresholds.

    Returns:
        Indices into `STANDINGS` and `REASONS`, shape (N,) each.
    """
    importance, proven = rows["importance"], ~np.isnan(p_value)
    seen = rows["visits"] >= settings.core_visits
    sound = proven & ~contradictory & (p_value >= settings.doubt)
    if right is not None:
        # a label that no p-value speaks against may still be more likely wrong than core allows
        sound &= right >= settings.least_right
    core = sound & seen & (importance - settings.confidence * error > level)
    spent = sound & seen & (importance + settings.confidence * error < settings.spent_level)
    steps = [
        (np.ones(len(rows), np.bool_), EDGE, UNDECIDED),
        (~sound & proven, EDGE, DOUBTFUL),
        (~seen, EDGE, NEW),
        (~proven, EDGE, UNPROVEN),
        (core, CORE, IMPORTANT),
        (spent, NOISE, SPENT),
        (contradictory, NOISE, CONTRADICTORY),
    ]
    standing, reason = np.zeros(len(rows), np.int8), np.zeros(len(rows), np.int8)
    for mask, its_standing, its_reason in steps:  # later steps overrule earlier ones
        standing[mask], reason[mask] = its_standing, its_reason
    return standing, reason


def importance_error(rows: Rows) -> Floats:
    """Standard error of importance; with few visits it follows the variance over all samples."""
    visits, squares = rows["visits"].astype(np.float64), rows["importance_m2"]
    degrees = np.maximum(visits - 1, 0)
    # `fsum` gives the same result wherever the array lies in memory
    pooled = math.fsum(squares) / degrees.sum() if degrees.any() else 1.0
    variance = (squares + _PRIOR_VISITS * pooled) / (degrees + _PRIOR_VISITS)
    return np.asarray(np.sqrt(variance / np.maximum(visits, 1)))
