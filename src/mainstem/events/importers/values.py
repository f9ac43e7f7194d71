"""What stands in a cell, whatever the format of the file: texts, names, numbers, times. A `ValueError` says what is wrong.

A column of whole numbers with gaps is often saved as one of floats, so `17850.0` is the name `17850`.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mainstem.errors import ImportSourceError

__all__ = ["LATEST", "UNITS", "name_of", "number_of", "text_of", "time_reader"]

UNITS: Final = {"s": Decimal(1000), "ms": Decimal(1), "us": Decimal("0.001")}
"""Milliseconds in each unit that a time may be counted in."""
LATEST: Final = 4_102_444_800_000
"""The latest time that an event can have: the year 2100."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_WHOLE: Final = re.compile(r"(-?\d+)\.0")
_NUMBER: Final = re.compile(r"-?\d+(\.\d*)?")


def text_of(value: Any) -> str:
    r"""The text of a cell, blanks in it reduced; empty where the cell is.

    Example:
        >>> text_of("  T-LIGHT \n HOLDER"), text_of(None), text_of(float("nan"))
        ('T-LIGHT HOLDER', '', '')
    """
    if value is None or value != value:  # noqa: PLR0124 - only NaN is not itself
        return ""
    return " ".join(str(value).split())


def name_of(value: Any) -> str:
    """The name (id, kind, label) in a cell; empty where there is none.

    Example:
        >>> name_of(17850.0), name_of("17850.0"), name_of("1.50"), name_of("nan")
        ('17850', '17850', '1.50', '')
    """
    text = text_of(value)
    whole = _WHOLE.fullmatch(text)
    return whole[1] if whole else "" if text == "nan" else text


def number_of(value: Any, of: str) -> float | None:
    """The number in a cell; None where it is empty.

    Args:
        value: the cell.
        of: what it is the number of, for the message.

    Raises:
        ValueError: if it is none.

    Example:
        >>> number_of("2.50", "price"), number_of(None, "price")
        (2.5, None)
    """
    text = name_of(value)
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not isfinite(number):
        msg = f"{of} {text!r} is no number; write it like 1234.50"
        raise ValueError(msg)
    return number


def time_reader(form: str = "", zone: str = "UTC") -> Callable[[Any], int]:
    """A function from a cell to milliseconds since 1970.

    Args:
        form: a unit (`UNITS`) where times are counted since 1970; a pattern of `strptime`, like `%d/%m/%Y %H:%M`; empty for
            ISO 8601. A column of timestamps, as Parquet has them, needs none.
        zone: of times that name no zone of their own. An hour that comes twice in autumn is taken to be the first.

    Raises:
        ImportSourceError: if there is no such form or zone.

    Example:
        >>> time_reader()("2019-10-01 00:00:00 UTC"), time_reader("s")("1569888000")
        (1569888000000, 1569888000000)
        >>> time_reader("%d/%m/%Y %H:%M", "Europe/Berlin")("01/10/2019 02:00")
        1569888000000
    """
    place = _zone(zone)
    if form and form not in UNITS and "%" not in form:
        msg = f"{form!r} is no form of a time; give one of {', '.join(UNITS)}, a pattern like '%d/%m/%Y %H:%M', or nothing"
        raise ImportSourceError(msg)

    def read(value: Any) -> int:
        millis = _millis(value, form, place)
        if not 0 <= millis <= LATEST:
            msg = f"time {value!r} is not between 1970 and 2100; is its form {form or 'ISO 8601'!r}?"
            raise ValueError(msg)
        return millis

    return read


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        msg = f"there is no time zone {name!r}; name it like 'Europe/Berlin' or 'UTC'"
        raise ImportSourceError(msg) from error


def _millis(value: Any, form: str, zone: tzinfo) -> int:
    if isinstance(value, datetime):
        return _since_epoch(value, zone)
    if isinstance(value, date):
        return _since_epoch(datetime.combine(value, time()), zone)
    text = text_of(value)
    if not text:
        msg = "its time is empty"
        raise ValueError(msg)
    if form in UNITS:
        return _counted(text, form)
    if form:
        return _since_epoch(datetime.strptime(text, form), zone)  # noqa: DTZ007 - `_since_epoch` adds the zone
    if _NUMBER.fullmatch(text):
        msg = f"time {text!r} is a number; say what it counts ({', '.join(UNITS)}), or give its pattern, as the time's form"
        raise ValueError(msg)
    try:
        return _since_epoch(datetime.fromisoformat(text.removesuffix(" UTC") if text.endswith(" UTC") else text), zone, text)
    except ValueError as error:
        msg = f"time {text!r} is not ISO 8601; give its pattern as the time's form, like '%d/%m/%Y %H:%M'"
        raise ValueError(msg) from error


def _counted(text: str, unit: str) -> int:
    try:
        return int(Decimal(text) * UNITS[unit])
    except (InvalidOperation, OverflowError, ValueError) as error:
        msg = f"time {text!r} is no number of {unit}"
        raise ValueError(msg) from error


def _since_epoch(moment: datetime, zone: tzinfo, text: str = "") -> int:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC if text.endswith(" UTC") else zone)
    return (moment - _EPOCH) // timedelta(milliseconds=1)
