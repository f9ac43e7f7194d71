"""Read the settings and facts that a home records, without opening the home."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from mainstem.settings.renamed import renamed

__all__ = ["SETTINGS", "record", "recorded"]

SETTINGS: Final = "settings.json"


def recorded(folder: Path, name: str) -> Any:
    """The recorded value of a setting or a fact; None if the folder is no home or records none."""
    return record(folder).get(name)


def record(folder: Path) -> Mapping[str, Any]:
    """All recorded settings and facts by name; empty where the folder is no home yet."""
    path = folder / SETTINGS
    return renamed(msgspec.json.decode(path.read_bytes())) if path.exists() else {}
