"""Settings as `mainstem.toml`, with what each means: `mainstem settings --write` prints it."""

import json
from collections.abc import Iterator
from typing import Any

from mainstem.settings.durations import duration_text
from mainstem.settings.fields import Field, fields_of
from mainstem.settings.groups import GROUPS
from mainstem.settings.settings import Settings

__all__ = ["as_toml"]

_AFFECTS = {
    "join": "samples depend on it",
    "results": "results depend on it",
    "nothing": "no result depends on it",
}


def as_toml(settings: Settings) -> str:
    """A file that is read as these settings; a setting that has its default is commented out.

    Example:
        >>> [line for line in as_toml(Settings.of({"join.grace": 60_000})).splitlines() if "grace" in line][-1]
        'grace = "1m"'
    """
    return "\n".join(_lines(settings)) + "\n"


def _lines(settings: Settings) -> Iterator[str]:
    yield "# Settings of mainstem. A variable wins over this file: MAINSTEM_JOIN__GRACE=5m is grace in the group join."
    for name, group in GROUPS.items():
        values = getattr(settings, name)
        yield from ("", f"[{name}]  # {(group.__doc__ or '').rstrip('.')}")
        for field in fields_of(group).values():
            value = getattr(values, field.name)
            yield from ("", f"# {field.means.meaning}", f"# {_said(field)}.")
            yield f"{'# ' if value == field.default else ''}{field.name} = {_written(value, field)}"


def _said(field: Field) -> str:
    kind = "a duration" if field.means.is_duration else field.means.allowed
    return f"{kind[0].upper()}{kind[1:]}; {_AFFECTS[field.means.affects]}"


def _written(value: Any, field: Field) -> str:
    if field.means.is_duration:
        return f'"{duration_text(value)}"'
    if isinstance(value, str):  # JSON escapes as TOML does, but for one character
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)
