"""A choice of what a round trains on, and the pool that lets the product's learner train on it.

The learner draws from a pool. What a choice takes stands there as edge, all of which is drawn; what
it leaves stands there as noise. So the rounds are the product's own under any choice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from mainstem.learning.learner import RoundPool
from mainstem.standing import EDGE, NOISE

__all__ = ["Candidates", "Choice", "Chosen", "ChosenPool", "alike"]

_NOT_SPENT: Final = 0  # index of a reason that lets noise rest


@dataclass(frozen=True)
class Candidates:
    """The samples of one age, new or old, that a round may take.

    Attributes:
        figures: figure of each of N samples by the name of the estimator, shape (N,) each; NaN
            where a sample has none.
        standing: standing of each, shape (N,).
        weight: weight in the loss that the judgement gives each, shape (N,).
        wrong: whether the label of each is known to be wrong, shape (N,).
        confirmed: whether somebody confirmed the label of each, shape (N,).
    """

    figures: Mapping[str, NDArray[np.float64]]
    standing: NDArray[np.int8]
    weight: NDArray[np.float64]
    wrong: NDArray[np.bool_]
    confirmed: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.standing)


@dataclass(frozen=True)
class Chosen:
    """What was chosen.

    Attributes:
        places: places of the M chosen samples among the candidates, shape (M,), all different.
        weight: weight of each in the loss, shape (M,).
        called: which of the N candidates have a label that was called wrong, shape (N,); None
            where a choice never calls a label wrong.
    """

    places: NDArray[np.int64]
    weight: NDArray[np.float64]
    called: NDArray[np.bool_] | None = None


class Choice(Protocol):
    """A way to choose what a round trains on.

    It is a value without state, which another process can be given.
    """

    @property
    def reads(self) -> tuple[str, ...]:
        """Names of the estimators that it reads; the first says which labels it doubts."""
        ...

    @property
    def judges(self) -> bool:
        """Whether it reads standings, so that samples must be judged."""
        ...

    @property
    def settings(self) -> Mapping[str, Any]:
        """Settings that it needs."""
        ...

    def of(self, there: Candidates, share: float, random: np.random.Generator) -> Chosen:
        """Choose samples of one age.

        Args:
            there: the samples that may be taken.
            share: share of them that is to be taken, in [0, 1].
            random: source of randomness.
        """
        ...


def alike(places: NDArray[np.int64], called: NDArray[np.bool_] | None = None) -> Chosen:
    """Choose places that all weigh 1.

    Example:
        >>> alike(np.array([0, 3])).weight
        array([1., 1.])
    """
    return Chosen(places, np.ones(len(places)), called)


class ChosenPool:
    """A pool of which exactly the chosen rows are drawn.

    Args:
        pool: all samples.
        rows: rows of the chosen samples, shape (M,).
        weight: weight of each in the loss, shape (M,).
    """

    def __init__(
        self, pool: RoundPool, rows: NDArray[np.int64], weight: NDArray[np.float64]
    ) -> None:
        count = len(pool["offset"])
        standing, weights = np.full(count, NOISE, np.int8), np.ones(count, np.float32)
        standing[rows], weights[rows] = EDGE, weight
        self._pool = pool
        self._columns: Mapping[str, NDArray[Any]] = {
            "standing": standing,
            "reason": np.full(count, _NOT_SPENT, np.int8),
            "weight": weights,
        }

    def __getitem__(self, name: str, /) -> NDArray[Any]:
        """A column, shape (N,)."""
        if name in self._columns:
            return self._columns[name]
        return self._pool[name]

    def id_of(self, row: int) -> UUID:
        """The sample id in a row."""
        return self._pool.id_of(row)
