"""Sampling without replacement with exact inclusion probabilities.

A sample is drawn with a probability proportional to its size. No probability may pass 1, so what a
large size has too much goes to the others. A sample may also have a least probability.

Source:
    Madow, On the Theory of Systematic Sampling II, Annals of Mathematical Statistics 1949,
    https://doi.org/10.1214/aoms/1177729988;
    Tille, Sampling Algorithms, Springer 2006, section 2.10 on sizes whose probability passes 1.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["inclusion_probabilities", "loss_weights", "systematic"]

_Floats = NDArray[np.float64]
# what is this near to 1 is drawn for certain, so that no rounding draws it twice
_CERTAIN: Final = 1 - 1e-9
_HEAVIEST: Final = 5.0  # largest weight in a loss, so that no sample decides a step
_NOTHING: Final = 1e-12  # share of the largest size up to which a size is none


def inclusion_probabilities(sizes: _Floats, count: int, least: _Floats | None = None) -> _Floats:
    """The probabilities that add up to a number of samples, and are proportional to sizes.

    The probability of a sample is c times its size, but at least `least` and at most 1; the same c
    for all lets them add up to `count`. Samples of size 0 have more than their least probability
    only if all others are drawn for certain.

    Args:
        sizes: sizes of N samples, shape (N,), >= 0 and finite; a size a million million
            times smaller than the largest counts as 0.
        count: number of samples to draw, at most N.
        least: least probabilities, shape (N,), in [0, 1]; if they add up to more than `count`, they
            are scaled down and are the probabilities. None lets all be 0.

    Returns:
        The probabilities, shape (N,), in [0, 1].

    Example:
        >>> inclusion_probabilities(np.array([1.0, 1.0, 2.0, 9.0]), 2)
        array([0.25, 0.25, 0.5 , 1.  ])
        >>> inclusion_probabilities(np.array([1.0, 1.0, 2.0, 9.0]), 2, np.array([0.4, 0, 0, 0]))
        array([0.4, 0.2, 0.4, 1. ])
        >>> inclusion_probabilities(np.array([0.0, 0.0, 5.0]), 2)
        array([0.5, 0.5, 1. ])
    """
    low = np.zeros(len(sizes)) if least is None else np.asarray(least, np.float64)
    if count >= len(sizes):
        return np.ones(len(sizes))
    if (all_low := _total(low)) >= count:
        return low * (count / all_low) if all_low else low
    sizes = sizes / (sizes.max() or 1.0)
    some = sizes > _NOTHING
    found, those = low.copy(), int((sizes > _NOTHING).sum())
    if those + _total(low[~some]) <= count:  # all that have a size are certain
        found[some] = 1
        others = np.ones(len(sizes) - those)
        found[~some] = inclusion_probabilities(others, count - those, low[~some])
        return found
    found[some] = _in_proportion(sizes[some], low[some], count - _total(low[~some]))
    return found


def systematic(
    probabilities: _Floats, random: np.random.Generator, order: NDArray[np.int64] | None = None
) -> NDArray[np.int64]:
    """Draw samples so that each is included with its probability, and their number is fixed.

    The probabilities are laid end to end on a line, and the samples are drawn that one step after
    another of length 1 hits, from a random start. So of samples that lie side by side as many are
    drawn as their probabilities add up to, rounded down or up.

    Args:
        probabilities: inclusion probabilities of N samples, shape (N,), which add up to a whole
            number.
        random: source of randomness.
        order: order in which they lie on the line, shape (N,); a random order if None.

    Returns:
        Indices of the drawn samples, in rising order.

    Example:
        >>> systematic(np.array([0.5, 1.0, 0.5]), np.random.default_rng(0)).tolist()
        [1, 2]
    """
    on_the_line = random.permutation(len(probabilities)) if order is None else order
    start = random.random()
    certain = probabilities >= _CERTAIN
    left = on_the_line[~certain[on_the_line] & (probabilities[on_the_line] > 0)]
    ends = np.cumsum(probabilities[left])
    steps = round(float(ends[-1])) if len(ends) else 0
    hit = left[:0]
    if steps:
        # subtle: rounding may let the sum miss the whole number by a little
        ends = ends * (steps / ends[-1])
        ends[-1] = steps
        hit = left[np.searchsorted(ends, start + np.arange(steps), side="right")]
    return np.sort(np.concatenate([np.flatnonzero(certain), hit]))


def loss_weights(probabilities: _Floats, exponent: float) -> _Floats:
    """Weights in the loss of samples that were drawn with unequal probabilities.

    Args:
        probabilities: inclusion probabilities of N drawn samples, shape (N,), above 0.
        exponent: 0 lets all count alike. 1 lets each count 1 / p, so that the loss is that of a
            uniform draw in the mean; what lies between is a compromise of bias and variance.

    Returns:
        Weights, shape (N,), with mean 1 before those above 5 are cut to it.

    Source:
        Horvitz and Thompson, A Generalization of Sampling Without Replacement from a Finite
        Universe, 1952; Katharopoulos and Fleuret, Not All Samples Are Created Equal, 2018
        (1803.00942), section 3.

    Example:
        >>> loss_weights(np.array([0.25, 0.5, 1.0]), 1.0).round(2).tolist()
        [1.71, 0.86, 0.43]
        >>> loss_weights(np.array([0.25, 0.5, 1.0]), 0.0).tolist()
        [1.0, 1.0, 1.0]
    """
    if not len(probabilities):
        return probabilities
    weights = probabilities**-exponent
    return np.asarray(np.minimum(weights / weights.mean(), _HEAVIEST), np.float64)


def _in_proportion(sizes: _Floats, low: _Floats, count: float) -> _Floats:
    """clip(c * sizes, low, 1) that adds up to `count`, which c reaches between two bends.

    The sum rises with c, and bends where a sample leaves its least probability, and where it
    comes to 1.
    """
    bends = np.unique(np.concatenate([low / sizes, 1 / sizes]))
    below, above = 0, len(bends) - 1  # the sum is below `count` at the one, and not at the other
    while above - below > 1:
        middle = (below + above) // 2
        if _total(np.clip(bends[middle] * sizes, low, 1)) < count:
            below = middle
        else:
            above = middle
    between = (bends[below] + bends[above]) / 2
    at_low, at_one = between * sizes < low, between * sizes > 1
    moves = ~(at_low | at_one)
    rest = count - _total(low[at_low]) - int(at_one.sum())
    found = np.where(at_one, 1.0, low)
    if moves.any():
        found[moves] = sizes[moves] * (rest / _total(sizes[moves]))
    return np.clip(found, low, 1)


def _total(values: _Floats) -> float:
    """The sum in the order of the values: the same wherever the array lies in memory."""
    return float(np.cumsum(values)[-1]) if len(values) else 0.0
