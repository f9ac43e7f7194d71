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
    least: float = 0.05,
) -> Floats:
    """P(label is right) as a weight, calibrated where that can be measured.

    Args:
        right: probability that each label is right, shape (N,); NaN where nothing is known.
        measured: rows of trusted samples that no model of `right` saw, shape (M,).
        correct: whether their given label is right, shape (M,).
        least: smallest weight, so that no sample is without any say.

    Returns:
        Weights, shape (N,), in [least, 1]; 1 where nothing is known.

    Example:
        >>> clipped_weights(np.array([0.9, 0.001, np.nan]))
        array([0.9 , 0.05, 1.  ])

    Source:
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
    return np.where(known, np.clip(expit(log_odds), least, 1.0), 1.0)
