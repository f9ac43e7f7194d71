"""Dates like 01/12/2010, whose day may come first or second: one order for the whole file, told by the dates that have one.

Rows are held back until a date says which order it is. Where none does, dates without leading zeros are read month first, as
the published file has them; others are refused, because a guess would move every event.
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
    """Which of the two numbers before the year is the day."""

    DAY_FIRST = "day-first"
    MONTH_FIRST = "month-first"


def with_times(
    rows: Iterable[Row], column: str, order: DayOrder | None = None, notes: Notes | None = None
) -> Iterator[tuple[Row, int]]:
    """Each row with the time in a column, in milliseconds; a date without a zone is UTC.

    Args:
        rows: one mapping a row.
        column: of the time: a timestamp, ISO 8601, or a date with its year last.
        order: of such dates; without it they tell it themselves.
        notes: where it is told how they were read.

    Raises:
        ImportSourceError: if a time cannot be read, or none of the dates says in which order they are.

    Example:
        >>> rows = [{"at": "01/12/2010 08:26"}, {"at": "13/12/2010 08:26"}]
        >>> [datetime.fromtimestamp(millis / 1000, UTC).month for _, millis in with_times(rows, "at")]
        [12, 12]
    """
    told, millis, held = order, time_reader(), list[tuple[int, Row, re.Match[str]]]()
    for place, row in enumerate(rows, start=1):
        number, value = number_of_row(row, place), row[column]
        found = None if isinstance(value, date) else _DATE.fullmatch(text_of(value))
        try:
            if found and told is None:
                told = _told_by(found)
                _note(told, found, notes)
            if held and told:
                yield from _released(held, told)
            if found and told is None:
                held.append((number, row, found))
            elif held:  # subtle: rows keep their order, so one with another form of time waits too
                _mixed(held[0], value)
            else:
                yield row, _millis(found, told) if found and told else _iso(value, column, millis)
        except (ArithmeticError, ValueError) as error:
            raise unreadable(number, row, _explained(error, found, told)) from error
    if held:
        told = _guessed([found for _, _, found in held])
        _note(told, held[0][2], notes)
        yield from _released(held, told)


def _iso(value: Any, column: str, millis: Callable[[Any], int]) -> int:
    try:
        return millis(value)
    except ValueError as error:
        forms = "2010-12-01 08:26:00, 12/1/2010 8:26, 01/12/2010 08:26"
        msg = f"{column} {text_of(value)[:60]!r} has none of the forms {forms}"
        raise ValueError(msg) from error


def _told_by(found: re.Match[str]) -> DayOrder | None:
    first, second = int(found[1]), int(found[3])
    if first > 12 >= second:
        return DayOrder.DAY_FIRST
    return DayOrder.MONTH_FIRST if second > 12 >= first else None


def _released(
    held: list[tuple[int, Row, re.Match[str]]], told: DayOrder
) -> Iterator[tuple[Row, int]]:
    for number, row, found in held:
        try:
            yield row, _millis(found, told)
        except ValueError as error:
            raise unreadable(number, row, error) from error
    held.clear()


def _guessed(dates: list[re.Match[str]]) -> DayOrder:
    if any(part.startswith("0") for found in dates for part in (found[1], found[3])):
        msg = (
            f"dates like {dates[0][0]!r} may have the day or the month first, and none of the file's tells; "
            "say --dates day-first or --dates month-first"
        )
        raise ImportSourceError(msg)
    return DayOrder.MONTH_FIRST


def _note(told: DayOrder | None, found: re.Match[str], notes: Notes | None) -> None:
    if told and notes:
        notes.tell(
            f"dates are read {told}, all of them ({found[0]!r} is one); --dates says otherwise"
        )


def _mixed(held: tuple[int, Row, re.Match[str]], value: Any) -> None:
    msg = f"{value!r} has another form than {held[2][0]!r} of row {held[0]}, which may be day or month first; say --dates"
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


def _explained(error: Exception, found: re.Match[str] | None, told: DayOrder | None) -> Exception:
    return (
        ValueError(f"{found[0]!r} is no date with its {told}: {error}") if found and told else error
    )
