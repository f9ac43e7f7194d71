"""Durations as text (`90s`, `10m`, `1h`, `30d`) and as milliseconds."""

import re
from typing import Final

from mainstem.errors import SettingError

__all__ = ["DAY", "HOUR", "MINUTE", "duration_text", "parse_duration"]

_UNITS: Final = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
MINUTE, HOUR, DAY = _UNITS["m"], _UNITS["h"], _UNITS["d"]


def parse_duration(text: str) -> int:
    """Milliseconds of a duration that is written as a number and a unit.

    Args:
        text: a number, whole or not, and one of `ms`, `s`, `m`, `h`, `d`.

    Raises:
        SettingError: if the text is not a number and a unit.

    Example:
        >>> parse_duration("10m"), parse_duration("250ms")
        (600000, 250)
    """
    found = re.fullmatch(r"(\d{1,12}(?:\.\d{1,9})?)\s*(ms|s|m|h|d)", text.strip())
    if not found:
        msg = (
            f"a duration is a number and one of {sorted(_UNITS)}, like '90s' or '30d'; got {text!r}"
        )
        raise SettingError(msg)
    return round(float(found[1]) * _UNITS[found[2]])


def duration_text(millis: int) -> str:
    """Write milliseconds as `parse_duration` reads them, in the largest unit that divides them.

    Example:
        >>> duration_text(600_000), duration_text(90_000), duration_text(0)
        ('10m', '90s', '0d')
    """
    unit, size = next((unit, size) for unit, size in reversed(_UNITS.items()) if millis % size == 0)
    return f"{millis // size}{unit}"
