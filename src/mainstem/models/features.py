"""The features that models of this release read, with the transform of each."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

__all__ = ["TRANSFORMS"]

TRANSFORMS: Final[Mapping[str, str]] = MappingProxyType({})
"""How each feature is computed, in words, by its name; the order is that of the columns."""
