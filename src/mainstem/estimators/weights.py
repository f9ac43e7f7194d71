"""Weights in the loss that come from chances or shares of samples."""

import numpy as np

from mainstem.estimators.visit import Floats

__all__ = ["dynamic_weights", "unbiased_weights"]


def unbiased_weights(chances: Floats, mix: float = 0.0) -> Floats:
    """Weights 1 / (N p_i) that make a draw with replacement by p_i unbiased.

    Args:
        chances: p_i of each of N samples, shape (N,), which add up to 1.
        mix: share of the draw that is uniform, in [0, 1]; p_i becomes (1 - mix) p_i + mix / N, and
            no weight is above 1 / mix.

    Returns:
        Weights, shape (N,); 0 where p_i is 0, because such a sample is never drawn. They do not
        make a draw without replacement unbiased.

    Example:
        >>> unbiased_weights(np.array([0.5, 0.25, 0.25]))
        array([0.66666667, 1.33333333, 1.33333333])
    """
    mixed = (1 - mix) * chances + mix / max(len(chances), 1)
    weights = np.zeros(len(chances))
    np.divide(1, len(chances) * mixed, out=weights, where=mixed > 0)
    return weights


def dynamic_weights(shares: Floats, threshold: float = 0.0) -> Floats:
    """Weights N I_i, whose mean is 1, with samples below a threshold left out.

    Args:
        shares: I_i of each of N samples, shape (N,), which add up to 1.
        threshold: weight below which a sample weighs nothing.

    Example:
        >>> dynamic_weights(np.array([0.5, 0.4, 0.1]), threshold=0.5)
        array([1.5, 1.2, 0. ])
    """
    weights = len(shares) * shares
    return np.asarray(np.where(weights >= threshold, weights, 0.0))
