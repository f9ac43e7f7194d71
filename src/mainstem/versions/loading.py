"""Loads a saved version, ready to score."""

from mainstem.models.active import ActiveVersion
from mainstem.settings import Settings
from mainstem.versions.versions import Versions

__all__ = ["load_active"]


def load_active(versions: Versions, version: int, settings: Settings) -> ActiveVersion:
    """A saved version ready to score, with its direction if it has one, and with sketches.

    Args:
        versions: place where versions are saved.
        version: number of the version.
        settings: settings for batch size, tokens, device, precision, layers and sketch.

    Raises:
        VersionError: if the version is missing or damaged.
    """
    return ActiveVersion(
        versions.load(version),
        settings,
        direction=versions.direction(version),
        sketch=settings.responses.sketch,
    )
