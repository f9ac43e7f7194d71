"""The settings that answers about a history depend on: those of its home, or of the environment."""

import json
import os
from pathlib import Path
from typing import Final

from mainstem.settings import Settings
from mainstem.settings.renamed import renamed

__all__ = ["settings_there"]

_OF_HOME: Final = (
    "standing.canary_minimum",
    "responses.horizon",
    "join.label_window",
    "join.revision_window",
    "objectives.names",
    "learning.outdated_beyond",
    "learning.outdated_half_life",
    "learning.gone_after",
)
"""The settings of a home that stories and sets depend on."""


def settings_there(home: Path, store: str | None) -> Settings:
    """The settings that answers about a history depend on.

    Args:
        home: the home; what is no home has the defaults, which is said when it is opened.
        store: URL of a deployment's history, whose settings the environment gives.
    """
    if store:
        return Settings.read(os.environ)
    try:
        kept = renamed(json.loads((home / "settings.json").read_bytes()))
        return Settings.of({name: kept[name] for name in _OF_HOME if name in kept})
    except (OSError, ValueError, AttributeError):
        return Settings()
