"""The quality of a version on samples it was not trained on: AUC and log-loss."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mainstem.errors import NonFiniteError
from mainstem.join import PlacedSample
from mainstem.learning.evaluation.metrics import auc_of_classes, log_loss
from mainstem.models import ActiveVersion

__all__ = ["Evaluation", "evaluate"]


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
    logits = active.logits([sample.pair for sample in samples])
    if bad := int((~np.isfinite(logits).all(axis=1)).sum()):
        msg = f"non-finite logits for {bad} of {len(samples)} samples"
        raise NonFiniteError(msg)
    return Evaluation(len(samples), auc_of_classes(truth, logits), log_loss(truth, logits))
