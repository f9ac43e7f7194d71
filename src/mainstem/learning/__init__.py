"""Learning: draws, rounds, evaluation and the gate."""

from mainstem.learning.again import RecordedRounds
from mainstem.learning.beginning_again import begun_again
from mainstem.learning.gate import Decision, decide
from mainstem.learning.learner import Learner
from mainstem.learning.rounds import Claim, Position, Round

__all__ = [
    "Claim",
    "Decision",
    "Learner",
    "Position",
    "RecordedRounds",
    "Round",
    "begun_again",
    "decide",
]
