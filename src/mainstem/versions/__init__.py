"""Versions on disk or in S3: files, manifests and directions, and loading one to score."""

from mainstem.versions.beats_counting import BeatsCounting
from mainstem.versions.calibration import Calibration
from mainstem.versions.loading import load_active
from mainstem.versions.manifest import Manifest
from mainstem.versions.versions import Versions

__all__ = [
    "BeatsCounting",
    "Calibration",
    "Manifest",
    "Versions",
    "load_active",
]
