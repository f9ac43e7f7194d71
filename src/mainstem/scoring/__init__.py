"""The scoring worker: schedule, responses, judgements, rebuilt rows, and a version's scale."""

from mainstem.scoring.accepted import Accepted, first_times
from mainstem.scoring.direction import direction_of
from mainstem.scoring.held import SCORED
from mainstem.scoring.scale import mean_norm, scale_of
from mainstem.scoring.schedule import NEVER, Reached, Schedule
from mainstem.scoring.worker import ScoringWorker

__all__ = [
    "NEVER",
    "SCORED",
    "Accepted",
    "Reached",
    "Schedule",
    "ScoringWorker",
    "direction_of",
    "first_times",
    "mean_norm",
    "scale_of",
]
