"""Shows the figures of rounds in TensorBoard, MLflow or Weights & Biases, beside the history."""

from mainstem.tracking.tracker import Forgiving, Tracker

__all__ = ["Forgiving", "Tracker"]
