"""Clicks on a page of graded items: who looks, and who clicks what was looked at.

A shopper looks at the item at place k with probability 1 / k ** BIAS, and clicks what was looked at
with probability NOISE + (1 - NOISE) (2 ** y - 1) / 15, where the grade y goes from 0 to 4. So many
relevant items low on a page get no click, and some irrelevant ones get one.

Source:
    Ai, Bi, Luo, Guo, Croft, Unbiased Learning to Rank with Unbiased Propensity Estimation, SIGIR
    2018, https://arxiv.org/abs/1804.05938 (the probability of a click by grade); Joachims,
    Swaminathan, Schnabel, Unbiased Learning-to-Rank with Biased Feedback, WSDM 2017,
    https://arxiv.org/abs/1608.04468 (the position-based model, there with other strengths of bias
    too).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["click_chance", "clicked"]

_BIAS: Final = 0.5
_NOISE: Final = 0.1
_HIGHEST: Final = 4.0


def click_chance(relevance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probability that each item of a page is clicked, shape (K,).

    Args:
        relevance: relevance of the items in the order of the page, shape (K,), in [0, 1].

    Example:
        >>> click_chance(np.array([1.0, 0.0, 1.0, 1.0])).round(3).tolist()
        [1.0, 0.071, 0.577, 0.5]
    """
    looked = np.arange(1, len(relevance) + 1) ** -_BIAS
    liked = (2 ** (_HIGHEST * relevance) - 1) / (2**_HIGHEST - 1)
    return np.asarray(looked * (_NOISE + (1 - _NOISE) * liked))


def clicked(relevance: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.bool_]:
    """Which items of a page are clicked, each by chance, shape (K,).

    Args:
        relevance: relevance of the items in the order of the page, shape (K,), in [0, 1].
        random: source of randomness.
    """
    return np.asarray(random.random(len(relevance)) < click_chance(relevance))
