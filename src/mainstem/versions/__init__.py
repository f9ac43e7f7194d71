"""Models: the cross-encoder, its tokenizer, scoring with one version, and versions on disk."""

from mainstem.versions.loading import load_active
from mainstem.versions.versions import Manifest, Versions

__all__ = [
    "Manifest",
    "Versions",
    "load_active",
]
