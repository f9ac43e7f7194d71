"""Which samples teach the same as a sample, and which the opposite, by dots of sketches.

A step on a sample changes the loss of another one by the dot of both gradients: a cosine near 1
means that learning the one learns the other, and a cosine near -1 that it unlearns the other. Only
the newest sketches by one version are compared, and a sketch of k floats estimates.
"""

import math
from collections.abc import Callable, Sequence
from statistics import NormalDist
from typing import Any, Final, TypeAlias

from mainstem.store.teaching import (
    NEAREST,
    NEIGHBOURS,
    SKETCH,
    VISITS_SKETCHED,
    Near,
    Sketch,
    Sketched,
)

__all__ = ["MOST", "largest_by_chance", "standard_error", "teaching_of"]

Row: TypeAlias = dict[str, Any]
MOST: Final = 5
"""How many samples are told at each end."""


def teaching_of(sample_id: str, ask: Callable[..., Any]) -> Row:
    """Tell which samples teach the same as a sample and which the opposite, as plain values.

    Args:
        sample_id: id of a sample that the history holds.
        ask: asks the history, as in `answers.explain`.

    Returns:
        version: version whose sketches are compared; None where the sample has no sketch.
        why: the reason why there is no sketch; empty where there is one.
        floats: number of floats of a sketch.
        compared: number of other samples that this version scored with a sketch.
        standard_error, largest_by_chance: what the functions of these names give.
        same, opposite: at most `MOST` samples each, the nearest first, with `cosine`, `label`,
            `standing`, `reason`, `source`, `context_text` and `item_text`.
    """
    [sketches, visits] = ask(SKETCH, VISITS_SKETCHED, sample=sample_id)
    told: Row = {"version": None, "why": "", "floats": 0, "compared": 0}
    told |= {"standard_error": None, "largest_by_chance": None, "same": [], "opposite": []}
    if not sketches:
        return told | {"why": _why_none(visits)}
    mine: Sketch = sketches[0]
    found: list[Near]
    known = {"sample": sample_id, "version": mine.version}
    [found] = ask(NEAREST, sketch=list(mine.sketch), most=MOST, **known)
    told |= {"version": mine.version, "floats": len(mine.sketch)}
    told["standard_error"] = standard_error(len(mine.sketch))
    if not found:
        return told
    compared = found[0].compared
    told |= {"compared": compared}
    told["largest_by_chance"] = largest_by_chance(len(mine.sketch), compared)
    [rows] = ask(NEIGHBOURS, ids=[one.sample_id for one in found], version=mine.version)
    neighbours = {str(one.sample_id): one for one in rows}
    for one in found:
        other = neighbours.get(one.sample_id)
        if other is not None:  # else it was written again meanwhile
            told[one.end].append({"cosine": one.cosine, **other._asdict()})
    return told


def standard_error(floats: int) -> float:
    """Standard error of a cosine of two sketches whose gradients are at right angles.

    For gradients with cosine c it is about (1 - c^2) times that.

    Args:
        floats: number k of floats of a sketch.

    Example:
        >>> standard_error(64)
        0.125

    Source:
        Charikar, Chen, Farach-Colton, Finding Frequent Items in Data Streams, 2002: the dot of two
        count sketches of unit vectors has a variance of at most (1 + c^2) / k. Measured on
        gradients of a small BERT: .088 with 64 floats.
    """
    return 1 / math.sqrt(floats)


def largest_by_chance(floats: int, compared: int) -> float:
    """The cosine that chance lets about one of N pass, if all gradients are at right angles to one.

    Args:
        floats: number k of floats of a sketch.
        compared: number N of sketches that the one is compared with.

    Returns:
        The standard error times the 1 - 1 / N quantile of the normal distribution; 0 for one
        sketch alone.

    Example:
        >>> round(largest_by_chance(64, 1000), 2), largest_by_chance(64, 1)
        (0.39, 0.0)
    """
    if compared < 2:
        return 0.0
    return standard_error(floats) * NormalDist().inv_cdf(1 - 1 / compared)


def _why_none(visits: Sequence[Sketched]) -> str:
    if not visits or not visits[0].visits:
        return "no version has scored it"
    if not visits[0].full:
        return "its visits are of kind last or forward, and only a full visit has a sketch"
    return (
        "its sketches were not kept (responses.sketch is 0), or they expired 30 days after they"
        " were written"
    )
