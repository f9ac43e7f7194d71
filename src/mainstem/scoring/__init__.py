"""A scoring worker: what to score, and the scale and direction of a version."""

from mainstem.scoring.answered import SCORED
from mainstem.scoring.direction import direction_of
from mainstem.scoring.scale import mean_norm, scale_of
from mainstem.scoring.worker import ScoringWorker

__all__ = [
    "SCORED",
    "ScoringWorker",
    "direction_of",
    "mean_norm",
    "scale_of",
]
