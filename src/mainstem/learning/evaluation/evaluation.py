"""The quality of a version on samples it was not trained on: AUC and log-loss."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax
from scipy.stats import rankdata

from mainstem.errors import NonFiniteError
from mainstem.join import PlacedSample, examples_of
from mainstem.models import ActiveVersion

__all__ = ["Evaluation", "auc", "auc_of_classes", "evaluate", "log_loss"]


@dataclass(frozen=True)
class Evaluation:
    """The quality of a version on some samples.

    Attributes:
        samples: number of samples.
        auc: AUC in [0, 1]; None if there are no samples, or only one label.
        log_loss: mean log-loss in nats; None if there are no samples.
    """

    samples: int
    auc: float | None
    log_loss: float | None


def auc(labels: NDArray[np.int64], scores: NDArray[np.float64]) -> float | None:
    """Probability that a yes is scored above a no, ties counting half; None without both labels.

    Args:
        labels: 0 or 1 for each sample, shape (N,).
        scores: score of each sample, shape (N,).

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
    """AUC of two classes by their log-odds.

    With more classes it is the mean AUC of each class against the rest, over those that occur.

    Args:
        labels: class of each sample, shape (N,), in [0, C).
        logits: logits of each sample, shape (N, C).

    Returns:
        The AUC; None if only one class occurs.

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
        labels: class of each sample, shape (N,), in [0, C).
        logits: logits of each sample, shape (N, C).

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
    # subtle: numpy's own sum may differ in the last bit with the place of an array in memory
    return math.fsum(losses) / len(labels)


def evaluate(
    active: ActiveVersion, samples: Sequence[PlacedSample], labels: Sequence[int] | None = None
) -> Evaluation:
    """AUC and log-loss of a version on samples.

    Args:
        active: the version, ready to score.
        samples: samples to evaluate on.
        labels: true class of each sample; None takes the labels of the samples.

    Raises:
        NonFiniteError: if a logit is NaN or infinite, because it cannot be ranked.
    """
    if not samples:
        return Evaluation(0, None, None)
    truth = np.array([sample.label for sample in samples] if labels is None else labels, np.int64)
    logits = active.logits(examples_of(samples))
    if bad := int((~np.isfinite(logits).all(axis=1)).sum()):
        msg = f"non-finite logits for {bad} of {len(samples)} samples"
        raise NonFiniteError(msg)
    return Evaluation(len(samples), auc_of_classes(truth, logits), log_loss(truth, logits))
