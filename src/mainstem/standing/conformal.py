"""Whether a sample is more doubtful than sound samples, by conformal p-values against canaries.

A canary is a trusted sample that was treated exactly like the others. If another sample is sound
too, its rank among the canaries is uniform, whatever the model. So its p-value needs no assumption
about the noise.

Source:
    Bates, Candes, Lei, Romano, Sesia, Testing for Outliers with Conformal p-values, Annals of
    Statistics 2023, https://arxiv.org/abs/2104.08279;
    Benjamini and Hochberg, Controlling the False Discovery Rate, JRSS B 1995;
    Storey, Taylor, Siegmund, Strong Control, Conservative Point Estimation and Simultaneous
    Conservative Consistency of False Discovery Rates, JRSS B 2004.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import false_discovery_control

__all__ = ["conformal_p_values", "rejected", "share_sound"]

Floats = NDArray[np.float64]


def conformal_p_values(evidence: Floats, canaries: Floats) -> Floats:
    """(1 + number of canaries at least as doubtful) / (1 + number of canaries), for each sample.

    Args:
        evidence: how doubtful each sample is, shape (N,); higher is more doubtful.
        canaries: how doubtful each canary is, on the same scale, shape (M,), M >= 1.

    Returns:
        The p-values, shape (N,), in (0, 1].

    Example:
        >>> conformal_p_values(np.array([0.5, 9.0]), np.array([0.0, 1.0, 2.0]))
        array([0.75, 0.25])
    """
    ordered = np.sort(canaries)
    at_least = len(ordered) - np.searchsorted(ordered, evidence, side="left")
    return np.asarray((1 + at_least) / (1 + len(ordered)))


def rejected(p_values: Floats, false_discovery_rate: float) -> NDArray[np.bool_]:
    """Which samples Benjamini-Hochberg calls, at a given expected share of false calls.

    Args:
        p_values: p-values of the samples, shape (N,).
        false_discovery_rate: expected share of false calls among all calls, in (0, 1).

    Returns:
        True for each sample that is called, shape (N,).

    Example:
        >>> rejected(np.array([0.001, 0.5, 0.9]), 0.1)
        array([ True, False, False])
    """
    if not len(p_values):
        return np.zeros(0, np.bool_)
    return np.asarray(false_discovery_control(p_values, method="bh") <= false_discovery_rate)


def share_sound(p_values: Floats) -> float:
    """Storey's estimate of the share of sound samples, in (0, 1].

    It is twice the share of p-values above a half, because p-values of wrong samples lie below.
    Benjamini-Hochberg called at rate q makes false calls at rate q times this share; called at
    rate q / share, it makes them at rate q.

    Example:
        >>> share_sound(np.array([0.001, 0.002, 0.3, 0.7, 0.9, 0.6, 0.4, 0.003]))
        1.0
        >>> share_sound(np.array([0.001] * 8 + [0.3, 0.7]))
        0.4
    """
    if not len(p_values):
        return 1.0
    return float(min(1.0, (1 + (p_values > 0.5).sum()) / (0.5 * len(p_values))))
