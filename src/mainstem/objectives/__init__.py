"""What a model learns of a sample: targets from its outcomes, and a loss for each sample.

The losses need torch and are in `losses`.
"""

from mainstem.objectives.examples import Examples
from mainstem.objectives.targets import OBJECTIVES, TARGETS, relabelled, targets_of

__all__ = [
    "OBJECTIVES",
    "TARGETS",
    "Examples",
    "relabelled",
    "targets_of",
]
