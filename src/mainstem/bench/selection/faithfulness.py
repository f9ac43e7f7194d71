"""Faithfulness: whether the figures of samples rank what a model loses where they are left out.

A group of samples is left out and the model is trained again. An estimator predicts of the group
the sum of its figures. Faithfulness is the rank correlation of prediction and measured change over
the groups. The sign with which figures count comes from what the estimator says of itself, never
from the data.

- The change is signed: the loss on true labels without the group, less the loss with all samples.
  Whether a high figure says that a sample is worth learning from or that its label is sound, it
  says that the loss would rise without the sample. So all figures count as they are.
- Its absolute value is what the group moves, whichever way. `worth` predicts it as it is. `sound`
  predicts it reversed: a label that fits what the model knows moves it least.

Source:
    Koh and Liang, Understanding Black-box Predictions via Influence Functions, ICML 2017,
    https://arxiv.org/abs/1703.04730 (leaving out); Park et al., TRAK, ICML 2023,
    https://arxiv.org/abs/2303.14186 (the linear datamodelling score, on random halves).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from mainstem.bench.cost.compared import DRAWS, interval_of

__all__ = ["Effects", "Faithful", "faithful", "predicted", "rank_correlation", "reliability"]

_Numbers = NDArray[np.float64]
_Sets = NDArray[np.bool_]
_FIGURES: Final = ("spearman", "absolute", "lds")


@dataclass(frozen=True)
class Effects:
    """What came of leaving samples out, in trainings from S starts.

    Attributes:
        groups: which of N samples each of G groups holds, shape (G, N).
        changes: loss without each group less loss with all samples, shape (S, G).
        halves: which of the samples each of H subsets holds, shape (H, N).
        losses: loss of a model that was trained on each subset alone, shape (S, H).
    """

    groups: _Sets
    changes: _Numbers
    halves: _Sets
    losses: _Numbers


@dataclass(frozen=True)
class Faithful:
    """How faithful estimators are.

    Attributes:
        rows: what is told of each, the most faithful first: `estimator`, `says`, `spearman` with
            the signed change, its interval `low` and `high`, `absolute`, the same with the absolute
            change, `lds`, with the loss on halves, `seeds` and `groups`. What is not defined is
            None.
        reliability: rank correlation of the measured changes with those that as many other
            trainings would give, of `left_out`, `absolute` and `lds`; None with one seed. An
            estimator that knew everything would reach about its square root.
        drawn: `spearman` of each estimator in each draw of groups and seeds, shape (D,).
        by_seed: `spearman` of each with the figures of each seed, shape (S,).
    """

    rows: list[dict[str, Any]]
    reliability: dict[str, float | None]
    drawn: Mapping[str, _Numbers]
    by_seed: Mapping[str, _Numbers]


def predicted(figures: _Numbers, sets: _Sets) -> _Numbers:
    """What figures say of sets of samples: their sum over each.

    Args:
        figures: figure of each of N samples in each of S runs, shape (S, N). A sample without one,
            NaN, counts as the mean of the others of its set.
        sets: which samples each of G sets holds, shape (G, N).

    Returns:
        The sums, shape (S, G); NaN where no sample of a set has a figure.

    Example:
        >>> sets = np.array([[True, True, False], [False, True, True]])
        >>> predicted(np.array([[1.0, 2.0, np.nan]]), sets)
        array([[3., 4.]])
    """
    known = np.isfinite(figures)
    many = known.astype(np.float64) @ sets.T
    sums = np.where(known, figures, 0.0) @ sets.T
    found = np.full(many.shape, np.nan)
    np.divide(sums, many, out=found, where=many > 0)
    return np.asarray(found * sets.sum(axis=1))


def rank_correlation(one: _Numbers, other: _Numbers) -> _Numbers:
    """Spearman's correlation over the last axis; NaN where either is all alike or not known.

    Example:
        >>> rank_correlation(np.array([1.0, 2.0, 9.0]), np.array([[2.0, 3, 4], [3, 2, 1]]))
        array([ 1., -1.])
    """
    ranks = [rankdata(some, axis=-1) for some in (one, other)]
    left, right = (some - some.mean(axis=-1, keepdims=True) for some in ranks)
    both = np.sqrt(np.square(left).sum(axis=-1) * np.square(right).sum(axis=-1))
    found = np.full(both.shape, np.nan)
    np.divide((left * right).sum(axis=-1), both, out=found, where=both > 0)
    unknown = np.isnan(one).any(axis=-1) | np.isnan(other).any(axis=-1)
    return np.asarray(np.where(unknown, np.nan, found))


def reliability(
    changes: _Numbers, of: Callable[[_Numbers], _Numbers] = lambda mean: mean
) -> float | None:
    """How well the mean over S trainings would agree with the mean over S others.

    All splits of the seeds into two halves are correlated. Their mean is stepped up from the length
    of a half to S, as Spearman and Brown do.

    Args:
        changes: what each training measured, shape (S, G).
        of: what is made of each mean, such as its absolute value.

    Returns:
        The reliability, 0 where halves do not agree at all; None with fewer than two seeds, or
        where nothing varies.

    Source:
        Spearman, Correlation Calculated from Faulty Data, and Brown, Some Experimental Results in
        the Correlation of Mental Abilities, British Journal of Psychology 1910.

    Example:
        >>> reliability(np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0]]))
        1.0
    """
    seeds = len(changes)
    half = seeds // 2
    if not half:
        return None
    found: list[float] = []
    for one in combinations(range(seeds), half):
        left = [seed for seed in range(seeds) if seed not in one]
        for other in combinations(left, half):
            means = [of(changes[list(some)].mean(axis=0)) for some in (one, other)]
            found.append(float(rank_correlation(*means)))
    known = [each for each in found if np.isfinite(each)]
    if not known:
        return None
    mean, longer = max(float(np.mean(known)), 0.0), seeds / half
    return longer * mean / (1 + (longer - 1) * mean)


def faithful(
    effects: Effects, figures: Mapping[str, _Numbers], says: Mapping[str, str], seed: int = 0
) -> Faithful:
    """Hold figures against what leaving groups out did.

    Intervals come from draws of groups and of seeds, the same for all estimators. Where groups
    share samples, they are a little too narrow.

    Args:
        effects: what was measured, in trainings from S starts.
        figures: figures of N samples by the name of the estimator, in a run of each seed, shape
            (S, N).
        says: what a high figure of each says: `worth`, `sound` or `nothing`.
        seed: seed of the draws.
    """
    names = list(figures)
    signs = np.array([-1.0 if says[name] == "sound" else 1.0 for name in names])[:, None, None]
    of_groups = np.stack([predicted(figures[name], effects.groups) for name in names])
    of_halves = np.stack([predicted(figures[name], effects.halves) for name in names])
    mean = effects.changes.mean(axis=0)
    of_each = {
        "spearman": rank_correlation(of_groups, mean),
        "absolute": rank_correlation(signs * of_groups, np.abs(mean)),
        "lds": rank_correlation(of_halves, -effects.losses.mean(axis=0)),
    }
    drawn = np.array(list(_draws(effects.changes, of_groups, seed)))
    rows: list[dict[str, Any]] = []
    for at, name in enumerate(names):
        told = {kind: _mean(of_each[kind][at]) for kind in _FIGURES}
        interval = interval_of(_or_nan(told["spearman"]), drawn[:, at])
        rows.append(
            {
                "estimator": name,
                "says": says[name],
                "spearman": told["spearman"],
                "low": interval["low"],
                "high": interval["high"],
                "absolute": told["absolute"],
                "lds": told["lds"],
                "seeds": len(effects.changes),
                "groups": len(effects.groups),
            }
        )
    rows.sort(key=lambda row: (row["spearman"] is None, -(row["spearman"] or 0.0)))
    return Faithful(
        rows=rows,
        reliability={
            "left_out": reliability(effects.changes),
            "absolute": reliability(effects.changes, np.abs),
            "lds": reliability(effects.losses),
        },
        drawn={name: drawn[:, at] for at, name in enumerate(names)},
        by_seed={name: of_each["spearman"][at] for at, name in enumerate(names)},
    )


def _draws(changes: _Numbers, of_groups: _Numbers, seed: int) -> Iterator[_Numbers]:
    """The mean over seeds of each estimator, shape (E,), for draws of seeds and groups."""
    random = np.random.default_rng(seed)
    seeds, groups = changes.shape
    for _ in range(DRAWS):
        slots = random.integers(seeds, size=seeds)
        taken = random.integers(groups, size=groups)
        mean = changes[slots].mean(axis=0)[taken]
        found = rank_correlation(of_groups[:, slots][:, :, taken], mean)
        known = np.isfinite(found)
        yield np.where(
            known.any(axis=1),
            np.where(known, found, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1),
            np.nan,
        )


def _mean(values: _Numbers) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else None


def _or_nan(value: float | None) -> float:
    return np.nan if value is None else value
