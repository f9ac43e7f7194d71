"""The evaluation of versions: measures, by slice, with intervals, and beside plain rankings."""

from mainstem.learning.evaluation.evaluation import Evaluation, evaluate
from mainstem.learning.evaluation.metrics import (
    auc,
    calibration_error,
    log_loss,
    ndcg_of_questions,
    reciprocal_ranks,
)
from mainstem.learning.evaluation.paired import Difference, paired_auc, paired_mean

__all__ = [
    "Difference",
    "Evaluation",
    "auc",
    "calibration_error",
    "evaluate",
    "log_loss",
    "ndcg_of_questions",
    "paired_auc",
    "paired_mean",
    "reciprocal_ranks",
]
