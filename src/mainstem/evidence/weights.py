"""Weights of samples in the loss, from the probability that their label is right."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from mainstem.evidence.contract import Floats
from mainstem.logistic import Logistic

__all__ = ["clipped_weights"]

_NEAR = 1e-6  # probabilities are held this far from 0 and 1


def clipped_weights(
    right: Floats,
    measured: NDArray[np.int64] | None = None,
    correct: NDArray[np.bool_] | None = None,
    *,
    least: float = 0.0,
) -> Floats:
    """2 P(label is right) - 1 as a weight, calibrated where that can be measured.

    A label that is right as often as it is wrong teaches nothing, and one that is wrong more often
    teaches the opposite: both weigh as little as possible.

    Args:
        right: probability that each label is right, shape (N,); NaN where nothing is known.
        measured: rows of trusted samples that no model of `right` saw, shape (M,).
        correct: whether their given label is right, shape (M,).
        least: smallest weight of a sample; a higher one keeps doubtful samples in.

    Returns:
        Weights, shape (N,), in [least, 1]; 1 where nothing is known.

    Example:
        >>> clipped_weights(np.array([0.9, 0.4, np.nan]))
        array([0.8, 0. , 1. ])

    Source:
        Ghosh, Kumar, Sastry, Robust Loss Functions under Label Noise, AAAI 2017,
        https://arxiv.org/abs/1712.09482, for symmetric losses: between two classes their expected
        gradient is 2 P - 1 times that of the given label;
        Platt, Probabilistic Outputs for Support Vector Machines, 1999, for the calibration.
    """
    known = np.isfinite(right)
    log_odds = logit(np.clip(np.where(known, right, 0.5), _NEAR, 1 - _NEAR))
    if measured is not None and correct is not None:
        usable = known[measured]
        fitted = Logistic.fit(log_odds[measured[usable], None], correct[usable].astype(np.int64))
        # subtle: a negative slope would weigh the doubtful samples most; then nothing is calibrated
        if fitted is not None and fitted.weights[0] > 0:
            log_odds = fitted.scores(log_odds[:, None])
    return np.where(known, np.clip(2 * expit(log_odds) - 1, least, 1.0), 1.0)
