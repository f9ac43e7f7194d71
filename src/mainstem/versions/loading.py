"""A saved version, put to work."""

from mainstem.models.scorer import Scorer
from mainstem.settings import Settings
from mainstem.versions.versions import Versions

__all__ = ["load_scorer"]


def load_scorer(versions: Versions, version: int, settings: Settings) -> Scorer:
    """A saved version ready for the stream: with its direction, where it has one, and with sketches.

    Raises:
        VersionError: if it is not there or not whole.
    """
    return Scorer(versions.load(version), settings, direction=versions.direction(version), sketch=settings.responses.sketch)
