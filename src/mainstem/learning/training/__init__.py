"""Fine-tuning."""

from mainstem.learning.training.fine_tuning import fine_tune

__all__ = [
    "fine_tune",
]
