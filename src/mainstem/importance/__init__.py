"""Importance: the running mean of each sample's response norm, and what else its visits added up to."""

from mainstem.importance.rows import CANARY, FACTS, STREAM, Columns
from mainstem.importance.sketches import rounded

__all__ = [
    "CANARY",
    "FACTS",
    "STREAM",
    "Columns",
    "rounded",
]
