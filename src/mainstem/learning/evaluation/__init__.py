"""The evaluation of versions."""

from mainstem.learning.evaluation.evaluation import Evaluation, auc, evaluate, log_loss

__all__ = [
    "Evaluation",
    "auc",
    "evaluate",
    "log_loss",
]
