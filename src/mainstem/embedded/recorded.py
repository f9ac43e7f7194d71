"""Read the settings and facts that a home records, without opening the home."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from mainstem.embedded.files import read_file
from mainstem.errors import HomeError
from mainstem.settings import Settings
from mainstem.settings.comparing import AUTO, CHOSEN, differences, that_affect
from mainstem.settings.renamed import renamed

__all__ = ["SETTINGS", "check_same", "no_home", "past_record", "record", "recorded"]

SETTINGS: Final = "settings.json"


def recorded(folder: Path, name: str) -> Any:
    """The recorded value of a setting or a fact; None if the folder is no home or records none."""
    return record(folder).get(name)


def record(folder: Path) -> Mapping[str, Any]:
    """All recorded settings and facts by name; empty where the folder is no home yet.

    Raises:
        HomeError: if the record is broken.
    """
    return renamed(read_file(folder / SETTINGS, dict[str, Any], msgspec.json) or {})


def past_record(folder: Path) -> Mapping[str, Any]:
    """What a home that begins again recorded before; empty too where the record is broken."""
    try:
        return record(folder)
    except HomeError:
        return {}


def check_same(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Refuse settings and facts that a home was not made with.

    Args:
        found: what the home records, by name; empty where it records nothing yet.
        wanted: the settings and facts that it is to be used with.

    Raises:
        HomeError: if one differs: going on would mix two histories.
    """
    # a home that was made before a setting existed has its default
    defaults = that_affect(Settings(), "join", "results") if found else {}
    there = {**wanted, **defaults, **found}
    # a home that was made before such choices were recorded takes those of now
    there |= {name: wanted[name] for name in CHOSEN if name in wanted and there[name] == AUTO}
    differ, undo = differences(there, wanted)
    if differ:
        go_on = f"{undo} goes on, " if undo else ""
        msg = (
            f"the home was made with other settings ({differ}); "
            f"{go_on}--from-start begins again, or give another --home"
        )
        raise HomeError(msg)


def no_home(folder: Path) -> HomeError:
    """The error that a folder is no home, and how to make one."""
    begin = f"mainstem replay LOG --home {shlex.quote(str(folder))}"
    return HomeError(f"{str(folder)!r} is no home of mainstem; `{begin}` makes one")
