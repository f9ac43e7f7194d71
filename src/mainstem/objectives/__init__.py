"""What a model is to learn of a sample: targets out of its outcomes, and a loss for each sample (`losses`, with torch)."""

from mainstem.objectives.targets import OBJECTIVES, TARGETS, relabelled, targets_of

__all__ = [
    "OBJECTIVES",
    "TARGETS",
    "relabelled",
    "targets_of",
]
