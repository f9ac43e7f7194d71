"""Learning: draws, rounds, evaluation and the gate."""

from mainstem.learning.draw import draw
from mainstem.learning.evaluation import Evaluation, auc, evaluate, log_loss
from mainstem.learning.gate import Decision, decide
from mainstem.learning.learner import Learner, Position, Round
from mainstem.learning.training import fine_tune

__all__ = [
    "Decision",
    "Evaluation",
    "Learner",
    "Position",
    "Round",
    "auc",
    "decide",
    "draw",
    "evaluate",
    "fine_tune",
    "log_loss",
]
