"""Learning: draws, rounds, evaluation and the gate."""

from mainstem.learning.again import RecordedRounds
from mainstem.learning.gate import Decision, decide
from mainstem.learning.learner import Claim, Learner, Position, Round

__all__ = [
    "Claim",
    "Decision",
    "Learner",
    "Position",
    "RecordedRounds",
    "Round",
    "decide",
]
