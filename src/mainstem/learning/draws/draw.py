"""The draw of a round: from core by importance mixed with uniform, with a floor from edge.

At cold start, when core is small, it draws uniformly from both.
"""

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mainstem.settings import Learning
from mainstem.standing import CORE, EDGE

__all__ = ["Draw", "Pool", "draw"]


class Pool(Protocol):
    """Columns by name, each of shape (N,), of one partition or of several put together."""

    def __getitem__(self, name: str, /) -> NDArray[Any]:
        """A column; `key_high`, `key_low`, `standing` and `importance` are read."""


@dataclass(frozen=True)
class Draw:
    """The samples that were drawn.

    Attributes:
        rows: rows in the pool, shape (M,).
        probability: probability of each row in a single draw, shape (M,).
        cold: whether it was a cold start.
        available: number of samples that could have been drawn.
    """

    rows: NDArray[np.int64]
    probability: NDArray[np.float64]
    cold: bool
    available: int


def draw(
    pool: Pool, candidates: NDArray[np.bool_], settings: Learning, random: np.random.Generator
) -> Draw:
    """Draw samples without replacement.

    Args:
        pool: all samples.
        candidates: true for each sample that may be drawn, shape (N,). Noise is never drawn.
        settings: `draw`, `core_minimum`, `uniform_share` and `edge_floor` count.
        random: source of randomness; the same pool and state give the same draw.

    Example:
        >>> from mainstem.importance import Rows
        >>> draw(Rows(), np.zeros(0, np.bool_), Learning(), np.random.default_rng(0)).rows
        array([], dtype=int64)
    """
    standing = pool["standing"]
    core = _in_order(pool, candidates & (standing == CORE))
    edge = _in_order(pool, candidates & (standing == EDGE))
    available = len(core) + len(edge)
    total = min(settings.draw, available)
    if len(core) < settings.core_minimum:
        either = _in_order(pool, candidates & ((standing == CORE) | (standing == EDGE)))
        chosen, probability = _choose(np.ones(len(either)), total, random)
        return Draw(either[chosen], probability, True, available)
    from_edge = min(max(round(settings.edge_floor * total), total - len(core)), len(edge))
    parts = [
        _from(pool, core, total - from_edge, settings, random),
        _from(pool, edge, from_edge, settings, random),
    ]
    rows, probability = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return Draw(rows, probability, False, available)


def _in_order(pool: Pool, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Rows of the mask by sample id, so that a draw does not depend on the order of arrival."""
    rows = np.flatnonzero(mask)
    return rows[np.lexsort((pool["key_low"][rows], pool["key_high"][rows]))]


def _from(
    pool: Pool, rows: NDArray[np.int64], count: int, settings: Learning, random: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    importance = np.maximum(pool["importance"][rows], 0)
    total = math.fsum(importance)  # the same to the last bit wherever the array lies in memory
    share = importance / total if total else np.full(len(rows), 1 / max(len(rows), 1))
    uniform = settings.uniform_share
    mixed = uniform / max(len(rows), 1) + (1 - uniform) * share
    chosen, probability = _choose(mixed, min(count, len(rows)), random)
    return rows[chosen], probability


def _choose(
    weights: NDArray[Any], count: int, random: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Draw `count` indices without replacement, with the probability of each in a single draw.

    Source:
        Efraimidis and Spirakis, Weighted random sampling with a reservoir, 2006.
    """
    with np.errstate(divide="ignore"):  # a weight of 0 gives a key of minus infinity: drawn last
        keys = np.log(random.random(len(weights))) / weights
    chosen = np.sort(np.argsort(-keys, kind="stable")[:count])
    return chosen, weights[chosen] / weights.sum() if len(weights) else weights[chosen]
