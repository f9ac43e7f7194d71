"""Write settings as a `mainstem.toml` with comments, which `mainstem settings --write` prints."""

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
    """The text of a file that gives these settings; a setting with its default is commented out.

    Example:
        >>> text = as_toml(Settings.of({"join.grace": 60_000}))
        >>> [line for line in text.splitlines() if line.startswith("grace")]
        ['grace = "1m"']
    """
    return "\n".join(_lines(settings)) + "\n"


def _lines(settings: Settings) -> Iterator[str]:
    yield (
        "# Settings of mainstem. A variable of the environment wins over this file: "
        "MAINSTEM_JOIN__GRACE=5m sets grace in [join]."
    )
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
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # subtle: JSON escapes as TOML does, except for U+007F
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)
