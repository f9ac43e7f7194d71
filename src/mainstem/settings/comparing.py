"""Compare the settings of a home or a snapshot with the current ones."""

import shlex
from collections.abc import Mapping
from typing import Any, Final

from mainstem.settings.fields import Affects
from mainstem.settings.names import known, variable
from mainstem.settings.settings import Settings

__all__ = ["AUTO", "CHOSEN", "differences", "that_affect"]

AUTO: Final = "auto"
CHOSEN: Final = ("model.device", "responses.precision")
"""Settings whose `auto` the machine decides; a home records what was decided when it was made."""


def that_affect(settings: Settings, *what: Affects) -> dict[str, Any]:
    """Values of the settings that affect any of these, by name.

    Args:
        settings: all settings.
        what: `join`, `results` or `nothing`, as `Means.affects` has it.

    Example:
        >>> "run.snapshot_every" in that_affect(Settings(), "join", "results")
        False
    """
    return {
        name: value
        for name, value in settings.flat().items()
        if known()[name].means.affects in what
    }


def differences(there: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[str, str]:
    """Describe what differs, and name the variables of the environment that would restore it.

    Args:
        there: settings by name, and other facts, that something was made with.
        now: settings and facts that it is to be used with; only the names in here are compared.

    Returns:
        The differences in words, and the variables as a shell takes them; both are empty where
        nothing differs.

    Example:
        >>> there = {"join.grace": 600_000, "learn": True}
        >>> differences(there, {"join.grace": 300_000, "learn": True})
        ('join.grace 10m there, 5m now', 'MAINSTEM_JOIN__GRACE=10m')
    """
    other = sorted(name for name, value in now.items() if there.get(name) != value)
    described = (
        f"{name} {_shown(name, there.get(name))} there, {_shown(name, now[name])} now"
        for name in other
    )
    undo = (
        f"{variable(name)}={shlex.quote(_text(name, there[name]))}"
        for name in other
        if name in known()
    )
    return ", ".join(described), " ".join(undo)


def _shown(name: str, value: Any) -> str:
    is_duration = name in known() and known()[name].means.is_duration
    return _text(name, value) if is_duration else repr(value)


def _text(name: str, value: Any) -> str:
    return known()[name].means.text_of(value)
