"""Draws out of figures: the highest, in stages, pruned, or in layers of a score.

Each takes figures of N samples and gives places. A sample without a figure, NaN, is neither high
nor low: of such samples the same share is taken, at random.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["at_random", "highest", "in_stages", "layered", "pruned", "some_of"]

_Floats = NDArray[np.float64]
_Places = NDArray[np.int64]
_LAYERS: Final = 50


def at_random(among: _Places, share: float, random: np.random.Generator) -> _Places:
    """A share of some places, at random, rounded to a number.

    Example:
        >>> len(at_random(np.arange(10), 0.3, np.random.default_rng(0)))
        3
    """
    return np.sort(random.permutation(among)[: round(share * len(among))])


def some_of(among: _Places, count: int, share: float, random: np.random.Generator) -> _Places:
    """At random from some places, as many as are a share of all N, or all places if they are fewer.

    Example:
        >>> some_of(np.array([3, 8]), 10, 0.3, np.random.default_rng(0))
        array([3, 8])
    """
    return np.sort(random.permutation(among)[: round(share * count)])


def highest(figures: _Floats, share: float, random: np.random.Generator) -> _Places:
    """The share of the samples with the highest figures; chance decides between equal ones.

    Args:
        figures: figure of each sample, shape (N,).
        share: share that is taken.
        random: source of randomness.

    Example:
        >>> highest(np.array([0.1, 0.9, np.nan, 0.5, 0.7]), 0.5, np.random.default_rng(0))
        array([1, 4])
    """
    known = ~np.isnan(figures)
    place = np.flatnonzero(known)
    order = np.lexsort((random.random(len(place)), -figures[place]))
    taken = place[order[: round(share * len(place))]]
    return np.sort(np.concatenate([taken, at_random(np.flatnonzero(~known), share, random)]))


def in_stages(stages: Sequence[_Floats], share: float, random: np.random.Generator) -> _Places:
    """The highest by one figure, and of those the highest by the next one.

    Every stage keeps the same share of what reaches it, so that all together keep `share`.

    Args:
        stages: figures of each stage, shape (N,) each, the cheapest first.
        share: share that is taken in the end.
        random: source of randomness.

    Example:
        >>> loss, norm = np.array([1.0, 2, 3, 4]), np.array([9.0, 1, 2, 1])
        >>> in_stages([loss, norm], 0.25, np.random.default_rng(0))
        array([2])
    """
    places = np.arange(len(stages[0]))
    for figures in stages:
        places = places[highest(figures[places], share ** (1 / len(stages)), random)]
    return places


def pruned(
    loss: _Floats, chance: float, random: np.random.Generator
) -> tuple[_Places, NDArray[np.float64]]:
    """All samples but for some whose loss is below the mean; the rest of those weigh more.

    Args:
        loss: loss of each sample, shape (N,); a sample without one is kept.
        chance: probability with which a sample below the mean is pruned, in [0, 1).
        random: source of randomness.

    Returns:
        The places that are kept, shape (M,), and the weight of each: 1 / (1 - chance) below the
        mean, else 1. So the expected loss is that of all samples.

    Example:
        >>> kept, weight = pruned(np.array([1.0, 1.0, 4.0]), 0.5, np.random.default_rng(1))
        >>> kept, weight
        (array([0, 1, 2]), array([2., 2., 1.]))
    """
    known = ~np.isnan(loss)
    mean = loss[known].mean() if known.any() else 0.0
    low = known & (loss < mean)
    kept = np.flatnonzero(~low | (random.random(len(loss)) >= chance))
    return kept, np.where(low[kept], 1 / (1 - chance), 1.0)


def layered(
    score: _Floats, among: _Places, count: int, random: np.random.Generator, layers: int = _LAYERS
) -> _Places:
    """As many samples of each layer of a score, where layers divide its range evenly.

    The smallest layers come first. What a layer lacks, the larger ones share.

    Args:
        score: score of each sample, shape (N,).
        among: places that may be taken, whose scores are known, shape (K,).
        count: number of samples that are taken, at most K.
        random: source of randomness.
        layers: number of layers.

    Example:
        >>> score = np.array([0.0, 0.1, 0.1, 0.2, 1.0])
        >>> layered(score, np.arange(5), 2, np.random.default_rng(0), layers=2)[1:]
        array([4])
    """
    if not len(among):
        return among
    seen = score[among]
    edges = np.linspace(seen.min(), seen.max(), layers + 1)[1:-1]
    layer = np.searchsorted(edges, seen, side="right")
    sizes = np.bincount(layer, minlength=layers)
    filled = [one for one in np.argsort(sizes, kind="stable").tolist() if sizes[one]]
    taken: list[_Places] = []
    left = count
    for number, one in enumerate(filled):
        its = min(left // (len(filled) - number), int(sizes[one]))
        taken.append(random.permutation(among[layer == one])[:its])
        left -= its
    return np.sort(np.concatenate(taken))
