"""Versions on disk or in S3: their files, manifests and directions, and one put to work."""

from mainstem.versions.loading import load_active
from mainstem.versions.versions import Manifest, Versions

__all__ = [
    "Manifest",
    "Versions",
    "load_active",
]
