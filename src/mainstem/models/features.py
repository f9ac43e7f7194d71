"""The features that models of this release read, with the transform of each."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from mainstem.behaviour import FEATURES

__all__ = ["TRANSFORMS"]

TRANSFORMS: Final[Mapping[str, str]] = MappingProxyType(
    {one.name: one.transform for one in FEATURES}
)
"""How each feature is computed, in words, by its name; the order is that of the columns."""
