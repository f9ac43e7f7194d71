"""What a model is to learn of a sample: losses per sample."""

from mainstem.objectives.losses import (
    Loss,
    binary_cross_entropy,
    cross_entropy,
    margins,
    squared_error,
    token_cross_entropy,
    weighted,
)

__all__ = [
    "Loss",
    "binary_cross_entropy",
    "cross_entropy",
    "margins",
    "squared_error",
    "token_cross_entropy",
    "weighted",
]
