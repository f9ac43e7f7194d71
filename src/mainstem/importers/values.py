"""Reads the cells of a table as numbers or times, whatever the format of the file.

A `ValueError` says what is wrong with a cell. Texts and names are read by `names`.
"""

import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from math import isfinite
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mainstem.errors import ImportSourceError
from mainstem.importers.names import Single, is_nothing, label_of, shortened, text_of
from mainstem.importers.notes import excerpt
from mainstem.importers.parquet_rows import FarTime

__all__ = ["LATEST", "UNITS", "is_yes", "number_of", "time_reader", "whole_number_of"]

UNITS: Final = {
    "s": Decimal(1000),
    "ms": Decimal(1),
    "us": Decimal("0.001"),
    "ns": Decimal("0.000001"),
}
"""Milliseconds in each unit in which a table may count times."""
LATEST: Final = 4_102_444_800_000
"""The latest time of an event, in milliseconds since 1970: the start of the year 2100."""
_YES: Final = {"true", "yes", "y", "t"}
_NO: Final = {"", "false", "no", "n", "f"}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER: Final = re.compile(r"-?\d+(\.\d*)?")
_PLAIN: Final = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,5})?")
_GROUPED: Final = {
    ".": re.compile(r"[+-]?[0-9]{1,3}([,' \u2019][0-9]{3})*(\.[0-9]*)?|[+-]?[0-9]+(\.[0-9]*)?"),
    ",": re.compile(r"[+-]?[0-9]{1,3}([.' \u2019][0-9]{3})*(,[0-9]*)?|[+-]?[0-9]+(,[0-9]*)?"),
}
_NO_GROUPS: Final = {
    sign: str.maketrans("", "", f"{other}' \u2019") for sign, other in (".,", ",.")
}
_GROUPS: Final = re.compile(r"[+-]?[0-9][0-9.,' \u2019]*")


def number_of(value: Any, of: str, decimal: str = "", currency: str = "") -> float | None:
    """Return the number in a cell; None if the cell is empty.

    Args:
        value: the cell.
        of: what is counted or measured, for messages.
        decimal: character before the fraction, `.` or `,`; given, thousands may be separated.
            Empty: `.`, and no separators.
        currency: sign or code that may stand before or after the number, like `€` or `USD`; any
            other is an error.

    Raises:
        ValueError: if the cell is not a number.

    Example:
        >>> number_of("2.50", "price"), number_of(None, "price")
        (2.5, None)
        >>> number_of("€ 1.234,50", "price", decimal=",", currency="€")
        1234.5
    """
    if isinstance(value, float) and value != value:  # noqa: PLR0124 - only NaN is not itself
        return None
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return _finite(float(value), str(value), of)
    text = text_of(value)
    if is_nothing(text):
        return None
    bare = text
    if currency:
        bare = bare.removeprefix(currency).removesuffix(currency).strip()
        bare = f"-{bare[1:].removeprefix(currency).strip()}" if bare.startswith("-") else bare
    if decimal:
        found = _GROUPED[decimal].fullmatch(bare)
        bare = found[0].translate(_NO_GROUPS[decimal]).replace(",", ".") if found else ""
    if not _PLAIN.fullmatch(bare):
        like = "1.234,50" if decimal == "," else "1234.50"
        hint = _hint(text, decimal, currency)
        msg = f"{of} {_shown(text)} is not a number; write it like {like}{hint}"
        raise ValueError(msg)
    return _finite(float(bare), text, of)


def whole_number_of(value: Any, of: str) -> int | None:
    """Return the whole number in a cell; None if the cell is empty.

    Args:
        value: the cell.
        of: what is counted, for messages.

    Raises:
        ValueError: if the cell is not a whole number.

    Example:
        >>> whole_number_of("3.0", "position")
        3
    """
    number = number_of(value, of)
    if number is None:
        return None
    if not number.is_integer():
        msg = f"{of} {_shown(value)} is not a whole number"
        raise ValueError(msg)
    return int(number)


def is_yes(value: Any) -> bool:
    """Whether a cell that says if an item was clicked says yes; an empty cell says no.

    Raises:
        ValueError: if the cell is neither yes nor no.

    Example:
        >>> is_yes("Yes"), is_yes(2), is_yes("0"), is_yes("")
        (True, True, False, False)
    """
    text = label_of(value).lower()
    if is_nothing(text):
        return False
    if text in _YES or text in _NO:
        return text in _YES
    try:
        return bool(number_of(text, "clicked"))
    except ValueError as error:
        msg = f"clicked {text!r} is neither yes nor no; write 1 or 0, true or false, yes or no"
        raise ValueError(msg) from error


def _finite(number: float, text: str, of: str) -> float:
    if not isfinite(number):
        msg = f"{of} {_shown(text)} is not a number; write it like 1234.50"
        raise ValueError(msg)
    return number


def _hint(text: str, decimal: str, currency: str) -> str:
    if not any(sign.isdigit() for sign in text):
        return ""
    sign = text.strip("0123456789.,+- '")
    is_currency = len(sign) < 5 and all(unicodedata.category(one)[0] in "SL" for one in sign)
    if sign and is_currency and not currency:
        return f", or set currency = {sign!r} in a map (import table)"
    if not decimal and _GROUPS.fullmatch(text):
        return ", or set decimal = ',' or '.' in a map (import table)"
    return ""


def _shown(value: Any) -> str:
    return excerpt(repr(value))


def time_reader(form: str = "", zone: str = "UTC") -> Callable[[Any], int]:
    """Return a function that reads a cell as milliseconds since 1970.

    Args:
        form: how times are written: a unit of `UNITS` if they are counted since 1970, or a pattern
            of `strptime` like `%d/%m/%Y %H:%M`; empty for ISO 8601. Timestamps of Parquet need no
            form.
        zone: time zone of times that do not give their own. An hour that occurs twice in autumn is
            read as the first.

    Returns:
        The function. It raises `ValueError` if the cell is not a time between 1970 and 2100.

    Raises:
        ImportSourceError: if the form or the zone does not exist.

    Example:
        >>> time_reader()("2019-10-01 00:00:00 UTC"), time_reader("s")("1569888000")
        (1569888000000, 1569888000000)
        >>> time_reader("%d/%m/%Y %H:%M", "Europe/Berlin")("01/10/2019 02:00")
        1569888000000
    """
    place = _zone(zone)
    if form and form not in UNITS and "%" not in form:
        msg = (
            f"{form!r} is not a form of a time; give one of {', '.join(UNITS)}, "
            "a pattern like '%d/%m/%Y %H:%M', or nothing"
        )
        raise ImportSourceError(msg)
    # subtle: strptime reads `10:00 PM` by `%H:%M %p` as ten in the morning
    if ("%I" in form) != ("%p" in form):
        msg = (
            f"{form!r} does not fix the hour; "
            "write '%I:%M %p' for a clock of twelve hours, or else '%H:%M'"
        )
        raise ImportSourceError(msg)

    def read(value: Any) -> int:
        try:
            millis = _millis(value, form, place)
        except (OverflowError, ArithmeticError) as error:
            msg = f"time {_shown(value)} is not between 1970 and 2100"
            raise ValueError(msg) from error
        if not 0 <= millis <= LATEST:
            used = form or "ISO 8601"
            msg = f"time {_shown(value)} is not between 1970 and 2100; is its form {used!r}?"
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
    if wrong := _no_time(value):
        msg = f"time {_shown(value)} {wrong}"
        raise ValueError(msg)
    if form in UNITS and isinstance(value, float) and isfinite(value):
        return int(Decimal(value) * UNITS[form])
    text = text_of(value)
    if is_nothing(text):
        msg = "its time is empty"
        raise ValueError(msg)
    if form in UNITS:
        return _counted(text, form)
    if form:
        moment = datetime.strptime(text, form)  # noqa: DTZ007 - `_since_epoch` adds the zone
        return _since_epoch(moment, zone)
    return _iso(text, zone)


def _no_time(value: Any) -> str:
    """Why a value cannot be a time in any form; empty if it can."""
    if isinstance(value, FarTime):
        return "lies beyond the year 9999"
    if isinstance(value, Single) and abs(value) >= 2**24:
        return "is a float of four bytes, which has too few digits; save times as whole numbers"
    if isinstance(value, float) and value in {float("inf"), -float("inf")}:
        return "is infinite"
    return "is a truth value" if isinstance(value, bool) else ""


def _iso(text: str, zone: tzinfo) -> int:
    if _NUMBER.fullmatch(text):
        msg = (
            f"time {_shown(text)} is a number; give its unit ({', '.join(UNITS)}) "
            "or its pattern as the time's form"
        )
        raise ValueError(msg)
    try:
        return _since_epoch(datetime.fromisoformat(text.removesuffix(" UTC")), zone, text)
    except ValueError as error:
        msg = (
            f"time {_shown(text)} is not ISO 8601; "
            "give its pattern as the time's form, like '%d/%m/%Y %H:%M'"
        )
        raise ValueError(msg) from error


def _counted(text: str, unit: str) -> int:
    if shortened(text):
        msg = f"time {_shown(text)} is a shortened number, which lost digits; save times as text"
        raise ValueError(msg)
    if not _PLAIN.fullmatch(text):
        msg = f"time {_shown(text)} is not a number of {unit}"
        raise ValueError(msg)
    return int(Decimal(text) * UNITS[unit])


def _since_epoch(moment: datetime, zone: tzinfo, text: str = "") -> int:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC if text.endswith(" UTC") else zone)
    return (moment - _EPOCH) // timedelta(milliseconds=1)
