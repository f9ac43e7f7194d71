"""Which samples another visit could move: how probable it is that a new visit changes a standing.

What changes figures most is that versions differ, more than that visits of one version do. So the
probability is multiplied by the number of versions since the last visit: with the probability alone
a sample far from each level is never looked at again, and its figures stay those of a version that
knew less.

A pure function of the rows. The levels of the last judgement are computed again from them, by the
recent margin, so that a worker that has rebuilt its rows chooses the same samples.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from mainstem.importance import CANARY, Rows
from mainstem.settings import Standing
from mainstem.standing import judge

__all__ = ["chance_of_moving", "most_changeable"]

_LEAST: Final = 1e-9


def most_changeable(rows: Rows, version: int, budget: int, settings: Standing) -> NDArray[np.int64]:
    """The rows of the stream whose standing a visit by a new version is most likely to change.

    Revised answers that have one visit come first, then the largest products of the chance of a
    move and the number of versions since the last visit, then the newest samples. Canaries are left
    out: they are scored by each version.

    Args:
        rows: rows of a partition.
        version: number of the new version; samples that it has scored are left out.
        budget: the most samples.
        settings: thresholds of the judge.

    Returns:
        Rows, shape (at most budget,), in their order.
    """
    free = np.flatnonzero((rows["part"] != CANARY) & (rows["last_version"] < version))
    worth = chance_of_moving(rows, version, settings) * (version - rows["last_version"])
    revised = rows["relabelled"] & (rows["visits"] < 2)
    keys = (-rows["offset"], -worth, ~revised)
    first = np.lexsort(tuple(key[free] for key in keys))[:budget]
    return np.asarray(np.sort(free[first]), np.int64)


def chance_of_moving(rows: Rows, version: int, settings: Standing) -> NDArray[np.float64]:
    """How probable it is that another visit changes each sample's standing, shape (N,), roughly.

    A sample is core if its label is sound and its importance clears the level, and spent if its
    importance is clear of the lower level. Each figure is taken to move by a normal step: that of
    importance follows from its variance and the number of visits, that of the recent margin from
    the variance of the margin, and both grow with the number of versions since the last visit.

    Args:
        rows: rows of a partition.
        version: number of the new version.
        settings: thresholds of the judge.
    """
    if not len(rows):
        return np.zeros(0)
    judged = judge(rows, settings, trusted=False)
    visits, importance = rows["visits"].astype(np.float64), rows["importance"]
    error, age = judged.importance_error, np.maximum(version - rows["last_version"], 1)
    # the step of a mean of n numbers when one more comes
    step = np.maximum(error / np.sqrt(visits + 1) * np.sqrt(age), _LEAST)
    margin = settings.confidence * error
    level = np.inf if np.isnan(judged.core_level) else judged.core_level
    above, crosses = importance - margin > level, _crosses(importance - margin, level, step)
    below = (importance + margin < settings.spent_level) & (visits >= settings.spent_visits)
    falls = _crosses(importance + margin, settings.spent_level, step)
    sound, turns = _soundness(rows, judged.evidence, settings, age)
    core = _changes(sound, above, turns, crosses)
    spent = _changes(sound, below, turns, falls)
    return np.asarray(np.maximum(core, spent))


def _soundness(
    rows: Rows, evidence: NDArray[np.float64], settings: Standing, age: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Whether each sample is among the less doubtful ones, and how probably that changes."""
    visits, squares = rows["visits"].astype(np.float64), rows["margin_m2"]
    degrees = np.maximum(visits - 1, 0)
    pooled = squares.sum() / degrees.sum() if degrees.any() else float(rows["margin"].var())
    variance = (squares + 2 * pooled) / (degrees + 2)
    # the newest visit counts half
    step = np.maximum(np.sqrt(variance * age) / 2, _LEAST)
    sound = evidence <= settings.assumed_sound
    # without samples on one side there is no border to cross
    doubt, border = -rows["recent_margin"], np.full(len(rows), np.inf)
    for label in np.unique(rows["label"]):
        here = rows["label"] == label
        inside, outside = doubt[here & sound], doubt[here & ~sound]
        if len(inside) and len(outside):
            border[here] = (inside.max() + outside.min()) / 2
    return sound, _crosses(doubt, border, step)


def _crosses(
    value: NDArray[np.float64], level: float | NDArray[np.float64], step: NDArray[np.float64]
) -> NDArray[np.float64]:
    """How probable it is that a normal step takes each value to the other side of a level."""
    return np.asarray(ndtr(-np.abs(value - level) / step))


def _changes(
    one: NDArray[np.bool_],
    other: NDArray[np.bool_],
    one_turns: NDArray[np.float64],
    other_turns: NDArray[np.float64],
) -> NDArray[np.float64]:
    """How probable it is that "one and other" changes, if each turns by itself."""
    now, then = one & other, np.where(one, 1 - one_turns, one_turns)
    then *= np.where(other, 1 - other_turns, other_turns)
    return np.where(now, 1 - then, then)
