"""Importance: the running mean of each sample's response norm, with other sums over its visits."""

from mainstem.importance.beside import Beside
from mainstem.importance.mixing import mixed
from mainstem.importance.rows import Rows
from mainstem.importance.sketches import rounded
from mainstem.importance.visits import CANARY, STREAM, Visits

__all__ = [
    "CANARY",
    "STREAM",
    "Beside",
    "Rows",
    "Visits",
    "mixed",
    "rounded",
]
