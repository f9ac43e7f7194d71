"""Versions on disk or in S3: files, manifests and directions, and loading one to score."""

from mainstem.versions.loading import load_active
from mainstem.versions.manifest import Manifest
from mainstem.versions.versions import Versions

__all__ = [
    "Manifest",
    "Versions",
    "load_active",
]
