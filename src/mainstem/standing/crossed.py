"""Conformal p-values where the model of doubt has learnt from the canaries too.

A canary may only be judged by a model that did not see it. So the model is fitted without one fold
of the canaries after the other, and a sample is compared with the canaries of a fold under the
model of that fold: both are on one scale. The p-values of several divisions into folds are
averaged, so that the division does not decide what is found.

Far out among the doubtful there are few canaries: whether two or six of 500 lie beyond a threshold
is chance, and it decides whether a thousand samples are called or none. What the model itself
expects of sound samples varies less. So it may count beside the canaries, as if it were as many
more of them.

Source:
    Vovk, Cross-Conformal Predictors, Annals of Mathematics and Artificial Intelligence 2015,
    https://arxiv.org/abs/1208.0806;
    Tibshirani, Barber, Candes, Ramdas, Conformal Prediction Under Covariate Shift, NeurIPS 2019,
    https://arxiv.org/abs/1904.06019, for the weights;
    Dunn, Wasserman, Ramdas, Distribution-Free Prediction Sets for Two-Layer Hierarchical Models,
    JASA 2023, https://arxiv.org/abs/1809.07441, for canaries that belong together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chisquare

from mainstem.standing.conformal import Floats

__all__ = [
    "Crossed",
    "cross_conformal_p_values",
    "expected_tail",
    "shift_weights",
    "strata_of",
]

_FEWEST: Final = 5  # canaries of a group, as is usual for the test
_BY_CHANCE: Final = 0.01
_TINY: Final = np.finfo(float).tiny


@dataclass(frozen=True)
class Crossed:
    """How doubtful one model finds all samples, and the canaries that it did not see.

    Attributes:
        doubt: how doubtful each sample is, shape (N,); higher is more doubtful.
        canaries: rows of the sound canaries that the model did not see, shape (M,).
        division: number of the division into folds that the model belongs to.
    """

    doubt: Floats
    canaries: NDArray[np.int64]
    division: int = 0


def cross_conformal_p_values(
    crossed: Sequence[Crossed],
    strata: NDArray[np.int64] | None = None,
    weights: Floats | None = None,
    expected: Floats | None = None,
    together: float = 1.0,
) -> Floats:
    """P-value of each sample: the share of canaries at least as doubtful, itself counted.

    Within a division, p = (w + weight of the canaries at least as doubtful under the model that
    did not see them) / (w + weight of all canaries), where w is the weight of the sample, times
    `together`. The mean over the divisions is returned.

    Args:
        crossed: the models of all divisions; the canaries of a division are distinct.
        strata: a sample is compared only with canaries of its stratum, shape (N,); all samples
            are compared with all canaries if it is None.
        weights: how much more frequent samples like this one are in the stream than among the
            canaries, shape (N,), > 0; all 1 if None.
        expected: share of the sound samples that is expected to be at least as doubtful, shape
            (N,), as `expected_tail` gives it. It counts as much as all canaries together; None
            counts canaries alone.
        together: mean number of canaries that belong together, such as those of one question. A
            sample counts as much as so many canaries, because it brings its own with it.

    Returns:
        The p-values, shape (N,), in (0, 1]; 1 where a stratum has no canary.

    Example:
        >>> doubt = np.array([0.0, 1.0, 2.0, 0.5, 9.0])
        >>> one, other = Crossed(doubt, np.array([0, 1])), Crossed(doubt * 2, np.array([2]))
        >>> cross_conformal_p_values([one, other])
        array([1.  , 0.75, 0.5 , 0.75, 0.25])
        >>> cross_conformal_p_values([one, other], expected=np.array([1.0, 0.5, 0.2, 0.8, 0.01]))
        array([1.        , 0.64285714, 0.37142857, 0.77142857, 0.14714286])
    """
    samples = len(crossed[0].doubt)
    weight = np.ones(samples) if weights is None else weights
    stratum = np.zeros(samples, np.int64) if strata is None else strata
    divisions = sorted({one.division for one in crossed})
    total = np.zeros(samples)
    for division in divisions:
        above, all_of_them = weight * together, weight * together
        for one in (one for one in crossed if one.division == division):
            for its in np.unique(stratum[one.canaries]):
                here = np.flatnonzero(stratum == its)
                canaries = one.canaries[stratum[one.canaries] == its]
                above[here] += _weight_above(one.doubt[here], one.doubt[canaries], weight[canaries])
                all_of_them[here] += weight[canaries].sum()
        if expected is not None:
            canaries_weigh = all_of_them - weight * together
            above, all_of_them = above + canaries_weigh * expected, all_of_them + canaries_weigh
        total += above / all_of_them
    return np.minimum(total / len(divisions), 1.0)


def expected_tail(doubt: Floats, right: Floats, strata: NDArray[np.int64] | None = None) -> Floats:
    """Share of the sound samples that is expected to be at least as doubtful as each sample.

    Every sample counts as much as its label is likely to be right.

    Args:
        doubt: how doubtful each sample is, shape (N,); higher is more doubtful.
        right: probability that each label is right, shape (N,).
        strata: a share is taken within a sample's stratum, shape (N,); among all if it is None.

    Returns:
        Shares, shape (N,), in [0, 1].

    Example:
        >>> expected_tail(np.array([3.0, 1.0, 2.0]), np.array([0.1, 0.6, 0.3]))
        array([0.1, 1. , 0.4])
    """
    share = np.ones(len(doubt))
    stratum = np.zeros(len(doubt), np.int64) if strata is None else strata
    for its in np.unique(stratum):
        here = np.flatnonzero(stratum == its)
        above = _weight_above(doubt[here], doubt[here], right[here])
        share[here] = above / max(above.max(), _TINY)
    return share


def strata_of(
    label: NDArray[np.int64], canaries: NDArray[np.int64], minimum: int
) -> NDArray[np.int64]:
    """The stratum of each sample: its label where all labels have enough canaries.

    Args:
        label: label of each sample, shape (N,), int >= 0.
        canaries: rows of the canaries, shape (M,).
        minimum: number of canaries that a label needs to be a stratum of its own.

    Returns:
        Strata, shape (N,): the labels; or zeros if any label of a sample has too few canaries,
        for then all samples are compared with the canaries of all labels.

    Example:
        >>> strata_of(np.array([0, 0, 0, 1, 1]), np.array([0, 1, 3]), 1)
        array([0, 0, 0, 1, 1])
        >>> strata_of(np.array([0, 0, 0, 1, 1]), np.array([0, 1, 3]), 2)
        array([0, 0, 0, 0, 0])
    """
    present = np.unique(label)
    count = np.bincount(label[canaries], minlength=int(label.max(initial=0)) + 1)
    if len(present) and (count[present] >= minimum).all():
        return label.copy()
    return np.zeros(len(label), np.int64)


def shift_weights(groups: NDArray[np.int64], canaries: NDArray[np.int64], right: Floats) -> Floats:
    """How much more frequent each sample's group is in the stream than among the canaries.

    Canaries are sound, so a group counts in the stream as much as its labels are likely to be
    right. Groups of which fewer than five canaries are expected count as one. Where the canaries'
    groups differ from the expected ones by no more than chance, all samples weigh 1.

    Args:
        groups: group of each sample, such as its label or slice, shape (N,), int.
        canaries: rows of the canaries, shape (M,).
        right: probability that each label is right, shape (N,).

    Returns:
        Ratios of the two shares, shape (N,), > 0; one more than it is on both sides, so that a
        group without canaries has a finite weight.

    Example:
        >>> groups, right = np.repeat([0, 1], 100), np.ones(200)
        >>> shift_weights(groups, np.arange(70, 110), right)[[0, 199]].round(2)
        array([0.68, 1.91])
        >>> shift_weights(groups, np.arange(78, 118), right)[[0, 199]]
        array([1., 1.])

    Source:
        Pearson's chi-squared test, at 1 %.
    """
    number = np.unique(groups, return_inverse=True)[1]
    expected = np.bincount(number, weights=right) * (len(canaries) / max(right.sum(), _TINY))
    number = np.where(expected[number] < _FEWEST, len(expected), number)
    number = np.unique(number, return_inverse=True)[1]
    expected = np.bincount(number, weights=right) * (len(canaries) / max(right.sum(), _TINY))
    among = np.bincount(number[canaries], minlength=len(expected))
    if len(expected) < 2 or chisquare(among, expected).pvalue > _BY_CHANCE:
        return np.ones(len(groups))
    return np.asarray(((expected + 1) / (among + 1))[number])


def _weight_above(doubt: Floats, canaries: Floats, weights: Floats) -> Floats:
    """Weight of the canaries at least as doubtful as each sample."""
    order = np.argsort(canaries, kind="stable")
    # weight of the canaries from a place on; the last entry is 0
    from_here = np.append(np.cumsum(weights[order][::-1])[::-1], 0.0)
    return np.asarray(from_here[np.searchsorted(canaries[order], doubt, side="left")])
