"""The draw of a round: shares of what is new and of what is old, from core and from edge.

Within each set a sample is drawn in proportion to its utility times its weight in the loss, where
utility is recent importance mixed with uniform. At cold start, when core is small, only the weight
counts. Where neither is expected to help, samples are drawn alike. In any case a sample whose text
is outdated has its size cut by as much as it is to count less. A version that has not learnt yet
needs steps more than a choice: its draw takes all that it can get.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mainstem.learning.draws.floors import slice_floors
from mainstem.learning.draws.inclusion import inclusion_probabilities, systematic
from mainstem.settings import Learning
from mainstem.standing import CORE, EDGE, NOISE, REASONS

__all__ = ["Draw", "Pool", "Slices", "draw", "sizes_of"]

Slices: TypeAlias = Callable[[NDArray[np.int64]], Sequence[NDArray[np.int64]]]
"""Gives for each kind of slice the codes of the slices that some rows are in; see `slice_floors`.

Of the first kind at least as many samples of each slice are drawn as its floor says, but for one in
each stratum; of the other kinds so many are expected.
"""
_SPENT: Final = REASONS.index("spent")


class Pool(Protocol):
    """Columns by name, each of shape (N,), of one partition or of several put together."""

    def __getitem__(self, name: str, /) -> NDArray[Any]:
        """A column.

        `key_high`, `key_low`, `standing`, `reason`, `recent_importance` and `weight` are read.
        """


@dataclass(frozen=True)
class Draw:
    """The samples that were drawn.

    Attributes:
        rows: rows in the pool, shape (M,).
        probability: inclusion probability of each row: that a draw from the same pool, with another
            seed, holds the sample; shape (M,).
        cold: whether it was a cold start.
        available: number of samples of core and edge that could have been drawn.
        chooses: whether the draw is a share of what is new and of what is old.
    """

    rows: NDArray[np.int64]
    probability: NDArray[np.float64]
    cold: bool
    available: int
    chooses: bool


class _Stratum(NamedTuple):
    """Rows of which `taken` are drawn, in proportion to sizes of shape (N,)."""

    rows: NDArray[np.int64]
    sizes: NDArray[np.float64]
    taken: int


def draw(
    pool: Pool,
    candidates: NDArray[np.bool_],
    settings: Learning,
    random: np.random.Generator,
    *,
    new: NDArray[np.bool_] | None = None,
    slices: Slices | None = None,
    counts: NDArray[np.float64] | None = None,
    heeds: bool = True,
) -> Draw:
    """Draw samples without replacement.

    Args:
        pool: all samples.
        candidates: true for each sample that may be drawn, shape (N,). Of noise only a few `spent`
            samples are drawn, so that it can be found that they have something to teach again.
        settings: `draw`, `draw_new`, `draw_old`, `core_minimum`, `uniform_share`, `edge_floor`,
            `slice_floor` and `spent_again` count.
        random: source of randomness; the same pool and state give the same draw.
        new: true for each sample that came since the current version was made, shape (N,). None
            lets the draw take all that it can get.
        slices: gives the slices that rows are in; it is called only if not all are drawn. None
            knows no slices.
        counts: how much each sample counts, shape (N,), in [0, 1]; its size is multiplied by that
            before any probability is computed. None lets all count in full.
        heeds: whether importance and weights count; else samples of core and edge are drawn alike.

    Example:
        >>> from mainstem.importance import Rows
        >>> draw(Rows(), np.zeros(0, np.bool_), Learning(), np.random.default_rng(0)).rows
        array([], dtype=int64)
    """
    standing = pool["standing"]
    core, edge = candidates & (standing == CORE), candidates & (standing == EDGE)
    cold = int(core.sum()) < settings.core_minimum
    ages = [(core, edge)] if new is None else [(core & one, edge & one) for one in (new, ~new)]
    there = [int((one | other).sum()) for one, other in ages]
    spent = _in_order(pool, candidates & (standing == NOISE) & (pool["reason"] == _SPENT))
    wanted, of_spent = _counts(there, len(spent), settings, chooses=new is not None)
    strata = [_Stratum(spent, np.ones(len(spent)), of_spent)]
    for (its_core, its_edge), count in zip(ages, wanted, strict=True):
        if heeds:
            strata += _strata(pool, its_core, its_edge, count, settings, cold=cold)
        else:
            either = _in_order(pool, its_core | its_edge)
            strata.append(_Stratum(either, np.ones(len(either)), count))
    if counts is not None:
        strata = [one._replace(sizes=one.sizes * counts[one.rows]) for one in strata]
    rows, probability = _drawn(strata, settings, random, slices)
    return Draw(rows, probability, cold, sum(there), new is not None)


def _counts(
    there: Sequence[int], spent: int, settings: Learning, *, chooses: bool
) -> tuple[list[int], int]:
    """How many samples are drawn of each age, out of those that are there, and how many spent."""
    if chooses:
        shares = (settings.draw_new, settings.draw_old)
        wanted = [round(share * count) for share, count in zip(shares, there, strict=True)]
    else:
        wanted = list(there)
    most = settings.draw
    again = min(round(settings.spent_again * min(sum(wanted), most)), spent)
    most -= again
    if sum(wanted) <= most:
        return wanted, again
    if not chooses:
        return [most], again
    # each may have half, and what the other does not want
    fresh = min(wanted[0], max(most - wanted[1], most - most // 2))
    return [fresh, most - fresh], again


def _strata(
    pool: Pool,
    core: NDArray[np.bool_],
    edge: NDArray[np.bool_],
    count: int,
    settings: Learning,
    *,
    cold: bool,
) -> list[_Stratum]:
    """Core and edge of one age, with the number that is drawn of each; one stratum if cold."""
    if cold:
        either = _in_order(pool, core | edge)
        return [_Stratum(either, sizes_of(pool, either, 1.0), count)]
    of_core, of_edge = _in_order(pool, core), _in_order(pool, edge)
    floor = max(round(settings.edge_floor * count), count - len(of_core))
    from_edge = min(floor, len(of_edge))
    uniform = settings.uniform_share
    return [
        _Stratum(of_core, sizes_of(pool, of_core, uniform), count - from_edge),
        _Stratum(of_edge, sizes_of(pool, of_edge, uniform), from_edge),
    ]


def _in_order(pool: Pool, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Rows of the mask by sample id, so that a draw does not depend on the order of arrival."""
    rows = np.flatnonzero(mask)
    return rows[np.lexsort((pool["key_low"][rows], pool["key_high"][rows]))]


def sizes_of(pool: Pool, rows: NDArray[np.int64], uniform: float) -> NDArray[np.float64]:
    """Utility times weight: importance as a share of all, mixed with uniform, times weight.

    Args:
        pool: all samples.
        rows: the rows that are drawn from, shape (M,).
        uniform: share of the utility that is the same for all.
    """
    importance = np.maximum(pool["recent_importance"][rows].astype(np.float64), 0)
    total = math.fsum(importance)  # the same to the last bit wherever the array lies in memory
    share = importance / total if total else np.full(len(rows), 1 / max(len(rows), 1))
    mixed = uniform / max(len(rows), 1) + (1 - uniform) * share
    return np.asarray(mixed * pool["weight"][rows], np.float64)


def _drawn(
    strata: Sequence[_Stratum],
    settings: Learning,
    random: np.random.Generator,
    slices: Slices | None,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The rows that are drawn, and the inclusion probability of each."""
    rows = np.concatenate([one.rows for one in strata])
    sizes = np.concatenate([one.sizes for one in strata])
    number = np.repeat(np.arange(len(strata)), [len(one.rows) for one in strata])
    found = np.concatenate([inclusion_probabilities(one.sizes, one.taken) for one in strata])
    side_by_side = number.astype(np.float64)
    if slices and (found < 1).any():
        learnt = number > 0  # the first stratum is spent
        codes = slices(rows)
        count = sum(one.taken for one in strata[1:])
        least = slice_floors(codes, settings.slice_floor, count, learnt & (sizes > 0))
        if (found < least)[learnt].any():
            found[learnt] = inclusion_probabilities(found[learnt], count, least[learnt])
        side_by_side += (codes[0] + 1) / (int(codes[0].max(initial=0)) + 2)
    # subtle: samples of a stratum lie side by side, and within it those of a slice, so that as many
    # of them are drawn as their probabilities add up to
    order = np.lexsort((random.random(len(rows)), side_by_side))
    chosen = systematic(found, random, order)
    return rows[chosen], found[chosen]
