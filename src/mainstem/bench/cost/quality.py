"""Quality on true labels: AUC; with more than two classes the mean of each class against the rest.

What is kept of the last version's answers is one number a sample for two classes, its log-odds, and
its log-probability of each class for more.
"""

from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

from mainstem.learning.evaluation.metrics import auc
from mainstem.learning.evaluation.paired import WeightedAuc

__all__ = ["WeightedQuality", "quality_of", "scores_of"]

_Floats = NDArray[np.float64]


def scores_of(logits: _Floats) -> _Floats:
    """Log-odds of N samples, shape (N,); or log-probabilities of more than two classes, (N, C).

    Args:
        logits: logits of each class, shape (N, C).
    """
    if logits.shape[1] == 2:
        return np.asarray(logits[:, 1] - logits[:, 0], np.float64)
    return np.asarray(log_softmax(logits.astype(np.float64), axis=1))


def quality_of(truth: NDArray[np.int64], scores: _Floats) -> float | None:
    """AUC on true labels, or its mean over the classes that occur; None if only one class does.

    Args:
        truth: true label of each sample, shape (N,).
        scores: what `scores_of` gave.

    Example:
        >>> quality_of(np.array([0, 1]), np.array([0.1, 0.9]))
        1.0
    """
    found = [auc(is_one.astype(np.int64), its) for is_one, its in _each(truth, scores)]
    known = [one for one in found if one is not None]
    return float(np.mean(known)) if known else None


class WeightedQuality:
    """The quality of one ranking, for any weights of its samples.

    Args:
        each: the AUC of each class against the rest; of two classes one is enough.

    Example:
        >>> truth, scores = np.array([0, 1, 2]), np.log([[0.8, 0.1, 0.1]] * 3)
        >>> WeightedQuality.of(truth, scores).auc(np.ones(3))
        0.5
    """

    def __init__(self, each: list[WeightedAuc]) -> None:
        self._each = each

    @classmethod
    def of(cls, truth: NDArray[np.int64], scores: _Floats) -> Self:
        """The quality of scores on true labels."""
        some = _each(truth, scores)
        return cls([WeightedAuc(is_one.astype(np.int64), its[None]) for is_one, its in some])

    def auc(self, weights: _Floats) -> float:
        """The mean over the classes that have weight; NaN if only one class has.

        Args:
            weights: weight of each sample, shape (N,).
        """
        found = [one.auc(weights) for one in self._each]
        known = [one for one in found if not np.isnan(one)]
        return float(np.mean(known)) if known else float("nan")


def _each(truth: NDArray[np.int64], scores: _Floats) -> list[tuple[NDArray[np.bool_], _Floats]]:
    """For each class, which samples are of it, and their scores; of two classes only the second."""
    if scores.ndim == 1:
        return [(truth == 1, scores)]
    return [(truth == one, scores[:, one]) for one in range(scores.shape[1])]
