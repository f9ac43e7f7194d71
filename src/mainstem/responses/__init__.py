"""Gradient responses of a batch: exact norms, dots with directions, sketches, loss and margin.

All of them come from one forward and one backward pass.
"""

from mainstem.objectives.losses import (
    Loss,
    binary_cross_entropy,
    cross_entropy,
    margins,
    squared_error,
    token_cross_entropy,
    weighted,
)
from mainstem.responses.directions import Direction, gradient_of, length_of
from mainstem.responses.probe import Probe
from mainstem.responses.responses import Responses

__all__ = [
    "Direction",
    "Loss",
    "Probe",
    "Responses",
    "binary_cross_entropy",
    "cross_entropy",
    "gradient_of",
    "length_of",
    "margins",
    "squared_error",
    "token_cross_entropy",
    "weighted",
]
