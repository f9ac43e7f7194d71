"""Rare labels in training: weights that let each label count the same, or draws that do.

Both shift the probabilities that a version answers with, which its calibration mends.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["balanced_weights", "resampled"]


def balanced_weights(labels: Sequence[int] | NDArray[np.int64]) -> NDArray[np.float32]:
    """Weights under which each label that occurs has the same total; their mean is 1.

    Args:
        labels: label of each sample, shape (N,), at least 0.

    Returns:
        Weights N / (labels that occur * samples with the label), shape (N,).

    Example:
        >>> balanced_weights([0, 0, 0, 1]).tolist()
        [0.6666666865348816, 0.6666666865348816, 0.6666666865348816, 2.0]

    Source:
        scikit-learn, `class_weight="balanced"`.
    """
    numbers = np.asarray(labels, np.int64)
    counts = np.bincount(numbers)
    there = max(int(np.count_nonzero(counts)), 1)
    return np.asarray(len(numbers) / (there * counts[numbers]), np.float32)


def resampled(
    labels: Sequence[int] | NDArray[np.int64], random: np.random.Generator
) -> NDArray[np.int64]:
    """Draw as many samples as there are, with replacement, each label equally often in the mean.

    Args:
        labels: label of each sample, shape (N,), at least 0.
        random: source of randomness.

    Returns:
        Places of the drawn samples, shape (N,).

    Example:
        >>> labels = np.array([0] * 900 + [1] * 100)
        >>> float(labels[resampled(labels, np.random.default_rng(0))].mean().round(1))
        0.5
    """
    weights = balanced_weights(labels).astype(np.float64)
    return random.choice(len(weights), len(weights), p=weights / weights.sum())
