"""What a home records of the settings and the facts that its results depend on, read without opening it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from mainstem.settings.renamed import renamed

__all__ = ["SETTINGS", "record", "recorded"]

SETTINGS: Final = "settings.json"


def recorded(folder: Path, name: str) -> Any:
    """What the home in a folder records of a setting or a fact; None where it is no home yet, or records no such thing."""
    return record(folder).get(name)


def record(folder: Path) -> Mapping[str, Any]:
    """All that the home in a folder records of settings and facts; nothing where it is no home yet."""
    path = folder / SETTINGS
    return renamed(msgspec.json.decode(path.read_bytes())) if path.exists() else {}
