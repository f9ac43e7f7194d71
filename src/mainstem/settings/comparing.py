"""Settings that something was made with, held against those of now."""

import shlex
from collections.abc import Mapping
from typing import Any

from mainstem.settings.fields import Affects
from mainstem.settings.names import known, variable
from mainstem.settings.settings import Settings

__all__ = ["differences", "that_affect"]


def that_affect(settings: Settings, *what: Affects) -> dict[str, Any]:
    """The settings on which something depends, by their names.

    Example:
        >>> "model.device" in that_affect(Settings(), "join", "results")
        False
    """
    return {
        name: value
        for name, value in settings.flat().items()
        if known()[name].means.affects in what
    }


def differences(there: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[str, str]:
    """What is different, and the variables that would undo it; both empty where all is as it was.

    Args:
        there: what something was made with: settings by their names, and facts.
        now: what it is to be used with; what `there` has beside is not looked at.

    Example:
        >>> differences({"join.grace": 600_000, "learn": True}, {"join.grace": 300_000, "learn": True})
        ('join.grace 10m there, 5m now', 'MAINSTEM_JOIN__GRACE=10m')
    """
    other = sorted(name for name, value in now.items() if there.get(name) != value)
    told = (
        f"{name} {_shown(name, there.get(name))} there, {_shown(name, now[name])} now"
        for name in other
    )
    undo = (
        f"{variable(name)}={shlex.quote(_text(name, there[name]))}"
        for name in other
        if name in known()
    )
    return ", ".join(told), " ".join(undo)


def _shown(name: str, value: Any) -> str:
    return (
        _text(name, value) if name in known() and known()[name].means.is_duration else repr(value)
    )


def _text(name: str, value: Any) -> str:
    return known()[name].means.text_of(value)
