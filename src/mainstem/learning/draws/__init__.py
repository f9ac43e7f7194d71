"""The draw of the samples that a round trains on."""

from mainstem.learning.draws.draw import draw
from mainstem.learning.draws.pool import RowsPool, StoredPool

__all__ = [
    "RowsPool",
    "StoredPool",
    "draw",
]
