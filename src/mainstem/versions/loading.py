"""A saved version, put to work."""

from mainstem.models.active import ActiveVersion
from mainstem.settings import Settings
from mainstem.versions.versions import Versions

__all__ = ["load_active"]


def load_active(versions: Versions, version: int, settings: Settings) -> ActiveVersion:
    """A saved version ready for the stream: with its direction, where it has one, and with sketches.

    Raises:
        VersionError: if it is not there or not whole.
    """
    return ActiveVersion(
        versions.load(version),
        settings,
        direction=versions.direction(version),
        sketch=settings.responses.sketch,
    )
