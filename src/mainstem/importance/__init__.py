"""Importance: the running mean of each sample's response norm, and what else its visits added up to."""

from mainstem.importance.rows import Rows
from mainstem.importance.sketches import rounded
from mainstem.importance.visits import CANARY, STREAM, Visits

__all__ = [
    "CANARY",
    "STREAM",
    "Rows",
    "Visits",
    "rounded",
]
