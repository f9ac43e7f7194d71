"""What a round trains on."""

from mainstem.learning.draws.draw import draw
from mainstem.learning.draws.pool import ColumnsPool, StoredPool

__all__ = [
    "ColumnsPool",
    "StoredPool",
    "draw",
]
