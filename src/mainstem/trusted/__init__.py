"""Trusted samples: their parts and their labels."""

from mainstem.trusted.trust import PARTS, Confirmed, Trust, part_of

__all__ = [
    "PARTS",
    "Confirmed",
    "Trust",
    "part_of",
]
