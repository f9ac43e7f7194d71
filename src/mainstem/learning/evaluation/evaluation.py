"""How good a version is on samples it was not trained on: AUC and log-loss."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax
from scipy.stats import rankdata

from mainstem.errors import NonFiniteError
from mainstem.join import PlacedSample
from mainstem.models import ActiveVersion

__all__ = ["Evaluation", "auc", "auc_of_classes", "evaluate", "log_loss"]


@dataclass(frozen=True)
class Evaluation:
    """Quality on `samples` samples; None where it is not defined (no samples, or one label only)."""

    samples: int
    auc: float | None
    log_loss: float | None


def auc(labels: NDArray[np.int64], scores: NDArray[np.float64]) -> float | None:
    """Probability that a yes is scored above a no, ties counting half; None without both.

    Example:
        >>> auc(np.array([0, 1, 0, 1]), np.array([0.1, 0.9, 0.5, 0.5]))
        0.875
    """
    yes = int(labels.sum())
    no = len(labels) - yes
    if not yes or not no:
        return None
    return float((rankdata(scores)[labels == 1].sum() - yes * (yes + 1) / 2) / (yes * no))


def auc_of_classes(labels: NDArray[np.int64], logits: NDArray[np.float64]) -> float | None:
    """AUC of two classes by their log-odds; of more the mean, over the classes that occur, of each against the rest.

    Args:
        labels: shape (N,), in [0, C).
        logits: shape (N, C).

    Example:
        >>> auc_of_classes(np.array([0, 1, 2]), np.array([[3.0, 0, 0], [0, 3, 0], [0, 0, 3]]))
        1.0
    """
    if logits.shape[1] == 2:
        return auc(labels, logits[:, 1] - logits[:, 0])
    log_probabilities = log_softmax(logits, axis=1)
    each = [
        auc((labels == one).astype(np.int64), log_probabilities[:, one])
        for one in range(logits.shape[1])
    ]
    known = [one for one in each if one is not None]
    return math.fsum(known) / len(known) if known else None


def log_loss(labels: NDArray[np.int64], logits: NDArray[np.float64]) -> float | None:
    """Mean negative log-likelihood in nats; None without samples.

    Args:
        labels: shape (N,), in [0, C).
        logits: shape (N, C).

    Example:
        >>> round(log_loss(np.array([1]), np.array([[0.0, 0.0]])), 4)
        0.6931
    """
    if not len(labels):
        return None
    if logits.shape[1] == 2:
        signs = np.where(labels == 1, 1.0, -1.0)
        losses = np.logaddexp(0, -signs * (logits[:, 1] - logits[:, 0]))
    else:
        losses = -log_softmax(logits, axis=1)[np.arange(len(labels)), labels]
    # subtle: numpy's own sum may differ in the last bit with where an array lies in memory; this one never does
    return math.fsum(losses) / len(labels)


def evaluate(
    active: ActiveVersion, samples: Sequence[PlacedSample], labels: Sequence[int] | None = None
) -> Evaluation:
    """AUC and log-loss of one version on samples, against their own labels or the given ones.

    Raises:
        NonFiniteError: if it answers one of them with NaN or infinity, which has no place in an order.
    """
    if not samples:
        return Evaluation(0, None, None)
    truth = np.array([sample.label for sample in samples] if labels is None else labels, np.int64)
    logits = active.logits([sample.pair for sample in samples])
    if bad := int((~np.isfinite(logits).all(axis=1)).sum()):
        msg = f"non-finite logits for {bad} of {len(samples)} samples"
        raise NonFiniteError(msg)
    return Evaluation(len(samples), auc_of_classes(truth, logits), log_loss(truth, logits))
