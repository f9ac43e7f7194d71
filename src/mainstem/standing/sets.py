"""The sets that samples are divided into: core, edge and noise, with the reason."""

import math
from dataclasses import dataclass
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
    "Soundness",
    "core_level",
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


@dataclass(frozen=True)
class Soundness:
    """What is known of the labels of N samples.

    Attributes:
        p_value: probability that a sound sample is at least as doubtful, shape (N,); NaN where it
            is not known.
        contradictory: whether each sample is proven to have a wrong label, shape (N,).
        right: probability that each label is right, shape (N,); None where nothing has learnt it.
        rank: how doubtful each sample is among all, in (0, 1], shape (N,); None where that does
            not count, because something has learnt which labels are right.
    """

    p_value: Floats
    contradictory: NDArray[np.bool_]
    right: Floats | None = None
    rank: Floats | None = None

    def sound(self, settings: Standing) -> NDArray[np.bool_]:
        """Which samples are sound enough for core, shape (N,).

        A label that no p-value speaks against may still be more likely wrong than core allows. With
        wrong labels among the samples, those that would move the model most are the wrong ones. So
        where nothing has learnt which labels are right, only the less doubtful samples are sound.

        Args:
            settings: thresholds.
        """
        sound = (self.p_value >= settings.doubt) & ~self.contradictory  # false where it is NaN
        if self.right is not None:
            sound &= self.right >= settings.least_right
        if self.rank is not None:
            sound &= self.rank <= settings.assumed_sound
        return sound


def core_level(rows: Rows, sound: NDArray[np.bool_], settings: Standing) -> float:
    """Importance that a sample must exceed to be core; NaN where no sound one has enough visits.

    It is a quantile over sound samples: over all of them, the level would be set by wrong labels,
    whose importance is the highest.

    Args:
        rows: rows of N samples.
        sound: which samples are sound, shape (N,).
        settings: thresholds.
    """
    those = sound & (rows["visits"] >= settings.core_visits)
    if not those.any():
        return math.nan
    return float(np.quantile(rows["importance"][those], settings.core_quantile))


def sets_of(
    rows: Rows, error: Floats, soundness: Soundness, level: float, settings: Standing
) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Standings and reasons of the samples in rows, by the levels of a judgement.

    Args:
        rows: rows of N samples.
        error: standard error of each sample's importance, shape (N,).
        soundness: what is known of their labels.
        level: importance that a sample must exceed to be core.
        settings: thresholds.

    Returns:
        Indices into `STANDINGS` and `REASONS`, shape (N,) each.
    """
    importance, visits = rows["importance"], rows["visits"]
    proven, sound = ~np.isnan(soundness.p_value), soundness.sound(settings)
    margin = settings.confidence * error
    core = sound & (visits >= settings.core_visits) & (importance - margin > level)
    spent = sound & (visits >= settings.spent_visits)
    spent &= importance + margin < settings.spent_level
    steps = [
        (np.ones(len(rows), np.bool_), EDGE, UNDECIDED),
        (~sound & proven, EDGE, DOUBTFUL),
        (visits < settings.core_visits, EDGE, NEW),
        (~proven, EDGE, UNPROVEN),
        (core, CORE, IMPORTANT),
        (spent, NOISE, SPENT),
        (soundness.contradictory, NOISE, CONTRADICTORY),
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
