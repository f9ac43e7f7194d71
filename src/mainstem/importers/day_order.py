"""Dates like 01/12/2010, in which the day may come first or second. A file has one order of both.

Rows are held back until a date with a number above 12 shows the order. If no date does, dates
without leading zeros are read month first, as in the published file; dates with leading zeros are
refused, because a wrong guess would move every event.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Any, Final

from mainstem.errors import ImportSourceError
from mainstem.importers.making import unreadable
from mainstem.importers.names import text_of
from mainstem.importers.notes import Notes
from mainstem.importers.rows import number_of_row
from mainstem.importers.tables import Row
from mainstem.importers.values import time_reader

__all__ = ["DayOrder", "with_times"]

_DATE: Final = re.compile(
    r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})(?:[ T]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?"
)


class DayOrder(StrEnum):
    """The order of day and month before the year."""

    DAY_FIRST = "day-first"
    MONTH_FIRST = "month-first"


def with_times(
    rows: Iterable[Row], column: str, order: DayOrder | None = None, notes: Notes | None = None
) -> Iterator[tuple[Row, int]]:
    """Yield each row with its time in milliseconds since 1970; a date without a zone is in UTC.

    Args:
        rows: one mapping per row.
        column: name of the column with the time, which is a timestamp, ISO 8601, or a date whose
            year comes last.
        order: order of day and month in dates whose year comes last; None to infer it.
        notes: where the inferred order is reported.

    Raises:
        ImportSourceError: if a time cannot be read, or the order cannot be inferred.

    Example:
        >>> rows = [{"at": "01/12/2010 08:26"}, {"at": "13/12/2010 08:26"}]
        >>> times = [millis / 1000 for _, millis in with_times(rows, "at")]
        >>> [datetime.fromtimestamp(time, UTC).month for time in times]
        [12, 12]
    """
    known, millis, held = order, time_reader(), list[tuple[int, Row, re.Match[str]]]()
    for place, row in enumerate(rows, start=1):
        number, value = number_of_row(row, place), row[column]
        found = None if isinstance(value, date) else _DATE.fullmatch(text_of(value))
        try:
            if found and known is None:
                known = _order_of(found)
                _note(known, found, notes)
            if held and known:
                yield from _released(held, known)
            if found and known is None:
                held.append((number, row, found))
            elif held:  # rows keep their order, so a time of another form cannot overtake them
                _refuse_mixed(held[0], value)
            else:
                yield row, _millis(found, known) if found and known else _iso(value, column, millis)
        except (ArithmeticError, ValueError) as error:
            raise unreadable(number, row, _explained(error, found, known)) from error
    if held:
        known = _guessed([found for _, _, found in held])
        _note(known, held[0][2], notes)
        yield from _released(held, known)


def _iso(value: Any, column: str, millis: Callable[[Any], int]) -> int:
    try:
        return millis(value)
    except ValueError as error:
        forms = "2010-12-01 08:26:00, 12/1/2010 8:26, 01/12/2010 08:26"
        msg = f"{column} {text_of(value)[:60]!r} has none of the forms {forms}"
        raise ValueError(msg) from error


def _order_of(found: re.Match[str]) -> DayOrder | None:
    """The order that a date proves; None where both numbers may be months."""
    first, second = int(found[1]), int(found[3])
    if first > 12 >= second:
        return DayOrder.DAY_FIRST
    return DayOrder.MONTH_FIRST if second > 12 >= first else None


def _released(
    held: list[tuple[int, Row, re.Match[str]]], order: DayOrder
) -> Iterator[tuple[Row, int]]:
    for number, row, found in held:
        try:
            yield row, _millis(found, order)
        except ValueError as error:
            raise unreadable(number, row, error) from error
    held.clear()


def _guessed(dates: list[re.Match[str]]) -> DayOrder:
    if any(part.startswith("0") for found in dates for part in (found[1], found[3])):
        msg = (
            f"dates like {dates[0][0]!r} may have the day or the month first, and no date of the "
            "file shows which; give --dates day-first or --dates month-first"
        )
        raise ImportSourceError(msg)
    return DayOrder.MONTH_FIRST


def _note(order: DayOrder | None, found: re.Match[str], notes: Notes | None) -> None:
    if order and notes:
        notes.tell(f"all dates are read {order} (like {found[0]!r}); --dates says otherwise")


def _refuse_mixed(held: tuple[int, Row, re.Match[str]], value: Any) -> None:
    number, _, found = held
    msg = (
        f"{value!r} has another form than {found[0]!r} of row {number}, "
        "which may have the day or the month first; give --dates"
    )
    raise ValueError(msg)


def _millis(found: re.Match[str], order: DayOrder) -> int:
    first, second, year = int(found[1]), int(found[3]), int(found[4])
    day, month = (first, second) if order is DayOrder.DAY_FIRST else (second, first)
    moment = datetime.combine(
        date(year if year > 99 else 2000 + year, month, day),
        time(int(found[5] or 0), int(found[6] or 0), int(found[7] or 0)),
        UTC,
    )
    return time_reader()(moment)


def _explained(error: Exception, found: re.Match[str] | None, order: DayOrder | None) -> Exception:
    if found and order:
        return ValueError(f"{found[0]!r} read {order} is not a date: {error}")
    return error
