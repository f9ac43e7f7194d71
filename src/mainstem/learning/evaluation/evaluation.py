"""The quality of a version on samples it was not trained on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mainstem.errors import NonFiniteError
from mainstem.join import PlacedSample, examples_of
from mainstem.learning.evaluation.metrics import (
    auc_of_classes,
    calibration_error,
    log_loss,
    ndcg_of_questions,
    reciprocal_ranks,
)
from mainstem.models import ActiveVersion

__all__ = ["Evaluation", "evaluate", "logits_of", "measure"]


@dataclass(frozen=True)
class Evaluation:
    """The quality of a version on some samples.

    Attributes:
        samples: number of samples.
        auc: AUC in [0, 1]; None if there are no samples, or only one label.
        log_loss: mean log-loss in nats; None if there are no samples.
        calibration_error: expected calibration error of calibrated scores, in [0, 1]; None if it
            was not measured.
        questions: number of questions that have both a yes and a no.
        ndcg_10, mrr: mean over these questions of the NDCG of the first ten items, and of 1 / rank
            of the first yes; None without such questions.
    """

    samples: int
    auc: float | None
    log_loss: float | None
    calibration_error: float | None = None
    questions: int = 0
    ndcg_10: float | None = None
    mrr: float | None = None


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
    return measure(truth, logits_of(active, samples))


def logits_of(
    active: ActiveVersion, samples: Sequence[PlacedSample], *, examined: bool = True
) -> NDArray[np.float64]:
    """Logits of samples, shape (N, C).

    Args:
        active: the version, ready to score.
        samples: N samples.
        examined: whether the position at which a sample was shown counts, as it did when its
            clicks were logged; a ranking leaves it out.

    Raises:
        NonFiniteError: if a logit is NaN or infinite, because it cannot be ranked.
    """
    logits = active.logits(examples_of(samples), examined=examined)
    if bad := int((~np.isfinite(logits).all(axis=1)).sum()):
        msg = f"non-finite logits for {bad} of {len(samples)} samples"
        raise NonFiniteError(msg)
    return logits


def measure(
    labels: NDArray[np.int64],
    logits: NDArray[np.float64],
    questions: NDArray[Any] | None = None,
    shares: NDArray[np.float64] | None = None,
) -> Evaluation:
    """All measures of some logits.

    Args:
        labels: class of each sample, shape (N,), in [0, C).
        logits: logits of each sample, shape (N, C).
        questions: key of the question of each sample, shape (N,). None, and more than two classes,
            leave out the measures within questions.
        shares: calibrated share of yes for each sample, shape (N,). None, and more than two
            classes, leave out the calibration error.

    Example:
        >>> logits = np.array([[0.0, -1.0], [0.0, 1.0]])
        >>> measure(np.array([1, 0]), logits, np.array([7, 7])).ndcg_10
        0.6309297535714575
    """
    is_yes_or_no = logits.shape[1] == 2
    error, ndcg, ranks = None, np.zeros(0), np.zeros(0)
    if is_yes_or_no and shares is not None:
        error = calibration_error(labels, shares)
    if is_yes_or_no and questions is not None:
        scores = logits[:, 1] - logits[:, 0]
        ndcg = ndcg_of_questions(labels, scores, questions)
        ranks = reciprocal_ranks(labels, scores, questions)
    return Evaluation(
        samples=len(labels),
        auc=auc_of_classes(labels, logits) if len(labels) else None,
        log_loss=log_loss(labels, logits),
        calibration_error=error,
        questions=len(ndcg),
        ndcg_10=float(ndcg.mean()) if len(ndcg) else None,
        mrr=float(ranks.mean()) if len(ranks) else None,
    )
