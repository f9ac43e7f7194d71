"""Paired bootstrap: how sure a difference between two rankings of the same samples is.

Whole questions are drawn, because the samples of one question are not independent. Both rankings
are measured on the same draw, so what makes a draw easy or hard for both of them cancels out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Difference", "WeightedAuc", "paired_auc", "paired_mean"]


@dataclass(frozen=True)
class Difference:
    """A difference between two rankings, with a bootstrap interval.

    Attributes:
        mean: measure of the one ranking less that of the other, on the samples as they are; above
            0 the one is better.
        low, high: ends of the interval that holds the stated share of the draws (percentiles).
    """

    mean: float
    low: float
    high: float


def paired_auc(
    labels: NDArray[np.int64],
    ours: NDArray[np.float64],
    theirs: NDArray[np.float64],
    questions: NDArray[Any],
    *,
    seed: int,
    draws: int = 1000,
    level: float = 0.95,
) -> Difference | None:
    """Difference of two AUCs on the same samples.

    Args:
        labels: 0 or 1 for each sample, shape (N,).
        ours, theirs: scores of the two rankings, shape (N,); or (S, N) for the scores of S training
            seeds, whose AUCs are averaged within every draw.
        questions: key of the question that each sample belongs to, shape (N,).
        seed: seed of the draws.
        draws: number of draws.
        level: share of the draws that the interval holds.

    Returns:
        The difference; None if the samples, or those of every draw, have only one label. Draws
        with one label are left out.

    Example:
        >>> labels, questions = np.array([0, 1] * 50), np.arange(100) // 2
        >>> ours, theirs = labels + np.arange(100) % 3, np.arange(100) % 3
        >>> found = paired_auc(labels, ours, theirs, questions, seed=1)
        >>> round(found.mean, 2), found.low > 0
        (0.28, True)
    """
    rankings = [WeightedAuc(labels, np.atleast_2d(one)) for one in (ours, theirs)]
    _, question = np.unique(questions, return_inverse=True)
    whole = np.ones(len(labels))
    if not 0 < labels.sum() < len(labels):
        return None
    found = np.full(draws, np.nan)
    for draw, times in enumerate(_draws(int(question.max()) + 1, draws, seed)):
        mine, other = (one.auc(times[question]) for one in rankings)
        found[draw] = mine - other
    mine, other = (one.auc(whole) for one in rankings)
    if np.isnan(found).all():
        return None
    return _difference(mine - other, found, level)


def paired_mean(
    ours: NDArray[np.float64],
    theirs: NDArray[np.float64],
    *,
    seed: int,
    draws: int = 1000,
    level: float = 0.95,
) -> Difference | None:
    """Difference of two means over questions, such as NDCG or MRR.

    Args:
        ours, theirs: measure of each question under the two rankings, shape (Q,), in one order.
        seed: seed of the draws.
        draws: number of draws.
        level: share of the draws that the interval holds.

    Returns:
        The difference; None without questions.

    Example:
        >>> paired_mean(np.array([1.0, 0.5]), np.array([0.5, 0.0]), seed=1)
        Difference(mean=0.5, low=0.5, high=0.5)
    """
    each = ours - theirs
    if not len(each):
        return None
    found = np.array([times @ each / len(each) for times in _draws(len(each), draws, seed)])
    return _difference(float(each.mean()), found, level)


class WeightedAuc:
    """The AUC of S rankings of N samples, for any weights of the samples.

    Args:
        labels: 0 or 1 for each sample, shape (N,).
        scores: scores of each ranking, shape (S, N).

    Example:
        >>> one = WeightedAuc(np.array([0, 1, 1]), np.array([[0.2, 0.1, 0.9]]))
        >>> one.auc(np.ones(3)), one.auc(np.array([1.0, 0.0, 1.0]))
        (0.5, 1.0)
    """

    def __init__(self, labels: NDArray[np.int64], scores: NDArray[np.float64]) -> None:
        self._yes = labels == 1
        self._ties = [np.unique(one, return_inverse=True)[1] for one in scores]

    def auc(self, weights: NDArray[np.float64]) -> float:
        """The mean AUC of the rankings; NaN if one label has no weight.

        Args:
            weights: weight of each sample, shape (N,).
        """
        yes, no = weights * self._yes, weights * ~self._yes
        pairs = yes.sum() * no.sum()
        if not pairs:
            return float("nan")
        found = 0.0
        for tie in self._ties:  # from the lowest score to the highest
            won, lost = np.bincount(tie, yes), np.bincount(tie, no)
            found += won @ (np.cumsum(lost) - lost / 2) / pairs
        return float(found / len(self._ties))


def _draws(questions: int, draws: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """How often each draw holds each question."""
    random = np.random.default_rng(seed)
    for _ in range(draws):
        chosen = random.integers(questions, size=questions)
        yield np.bincount(chosen, minlength=questions).astype(np.float64)


def _difference(mean: float, found: NDArray[np.float64], level: float) -> Difference:
    low, high = np.nanquantile(found, [(1 - level) / 2, (1 + level) / 2])
    return Difference(float(mean), float(low), float(high))
