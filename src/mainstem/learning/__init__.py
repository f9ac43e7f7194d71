"""Learning: draws, rounds, evaluation and the gate."""

from mainstem.learning.direction import direction_of
from mainstem.learning.draw import draw
from mainstem.learning.evaluation import Evaluation, auc, evaluate, log_loss
from mainstem.learning.gate import Decision, decide
from mainstem.learning.learner import Claim, Learner, Position, Round
from mainstem.learning.pool import ColumnsPool, StoredPool
from mainstem.learning.scale import mean_norm, scale_of
from mainstem.learning.training import fine_tune

__all__ = [
    "Claim",
    "ColumnsPool",
    "Decision",
    "Evaluation",
    "Learner",
    "Position",
    "Round",
    "StoredPool",
    "auc",
    "decide",
    "direction_of",
    "draw",
    "evaluate",
    "fine_tune",
    "log_loss",
    "mean_norm",
    "scale_of",
]
