"""Cells: times in many forms and zones against the standard library, and unreadable values."""

import re
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from mainstem.errors import ImportSourceError
from mainstem.importers.names import Single
from mainstem.importers.parquet_rows import FarTime
from mainstem.importers.values import number_of, time_reader, whole_number_of

NOON = datetime(2026, 7, 1, 12, 30, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
NAIVE = datetime(2026, 7, 1, 14, 30)  # noqa: DTZ001 - as Parquet gives it
TIMES = {
    "ISO": ("2026-07-01T12:30:00Z", "", "UTC"),
    "ISO with blank": ("2026-07-01 12:30", "", "UTC"),
    "ISO with offset": ("2026-07-01T14:30:00+02:00", "", "America/New_York"),
    "named UTC": ("2026-07-01 12:30:00 UTC", "", "Europe/Berlin"),
    "in a zone": ("2026-07-01 14:30", "", "Europe/Berlin"),
    "seconds": (str(int(NOON.timestamp())), "s", "UTC"),
    "seconds as a float": (NOON.timestamp(), "s", "UTC"),
    "milliseconds": (int(NOON.timestamp() * 1000), "ms", "UTC"),
    "nanoseconds": (int(NOON.timestamp()) * 10**9 + 1, "ns", "UTC"),
    "nanoseconds as a float": (float(int(NOON.timestamp()) * 10**9), "ns", "UTC"),
    "all digits of an exponent": ("1.782909000E+9", "s", "UTC"),
    "microseconds": (int(NOON.timestamp() * 1_000_000), "us", "UTC"),
    "pattern": ("07/01/2026 2:30 PM", "%m/%d/%Y %I:%M %p", "Europe/Berlin"),
    "timestamp": (NOON, "", "Europe/Berlin"),
    "naive timestamp": (NAIVE, "s", "Europe/Berlin"),
}
UNREADABLE = {
    "number": (
        "1511658000",
        "",
        "time '1511658000' is a number; give its unit (s, ms, us, ns)",
    ),
    "words": ("yesterday", "", "time 'yesterday' is not ISO 8601; give its pattern"),
    "empty": (None, "", "its time is empty"),
    "milliseconds as seconds": (
        "1511658000000",
        "s",
        "time '1511658000000' is not between 1970 and 2100; is its form 's'?",
    ),
    "no number": ("x", "ms", "time 'x' is not a number of ms"),
    "rounded by a spreadsheet": (
        "1.77789E+12",
        "ms",
        "time '1.77789E+12' is a shortened number, which lost digits",
    ),
    "huge exponent": ("1e999999", "s", "time '1e999999' is not a number of s"),
    "thousands of digits": ("9" * 5000, "s", "is not between 1970 and 2100"),
    "infinite": (float("inf"), "s", "time inf is infinite"),
    "no number of Python's": ("1_777_888_800", "s", "time '1_777_888_800' is not a number of s"),
    "a float of four bytes": (Single(1.7e9), "s", "is a float of four bytes"),
    "far away": (FarTime("9223372036854775807 us since 1970"), "", "lies beyond the year 9999"),
    "the last moment, further west": (
        "9999-12-31T23:59:59-14:00",
        "",
        "is not between 1970 and 2100",
    ),
    "a word for nothing": ("NULL", "", "its time is empty"),
    "another pattern": ("2026-07-01", "%d/%m/%Y", "time data '2026-07-01' does not match format"),
}


@pytest.mark.parametrize(("value", "form", "zone"), TIMES.values(), ids=TIMES)
def test_a_time_is_the_same_however_written(value: Any, form: str, zone: str) -> None:
    """Each form of a time gives the milliseconds that `datetime` counts."""
    assert int(NOON.timestamp() * 1000) == time_reader(form, zone)(value)


def test_a_day_begins_at_midnight_of_its_zone() -> None:
    """A date is its first moment in its zone, in summer and in winter."""
    read = time_reader(zone="Europe/Berlin")
    for day in (date(2026, 7, 1), date(2026, 12, 1)):
        midnight = datetime(day.year, day.month, day.day, tzinfo=BERLIN)
        assert int(midnight.timestamp() * 1000) == read(day) == read(day.isoformat())


@pytest.mark.parametrize(("value", "form", "message"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_is_no_time_is_told(value: Any, form: str, message: str) -> None:
    """The error for an unreadable time says what is wrong and how to give its form."""
    with pytest.raises(ValueError, match=re.escape(message)):
        time_reader(form)(value)


@pytest.mark.parametrize("form", ["%Y-%m-%d %H:%M %p", "%d/%m/%Y %I:%M"])
def test_a_form_that_loses_the_half_of_the_day_is_told(form: str) -> None:
    """A pattern that drops AM or PM is refused: `10:00 PM` by `%H:%M %p` would be morning."""
    with pytest.raises(ImportSourceError, match="does not fix the hour"):
        time_reader(form)


@pytest.mark.parametrize(
    ("form", "zone"), [("seconds", "UTC"), ("", "Europe/Atlantis"), ("", "../etc/passwd")]
)
def test_a_form_or_zone_that_is_none_is_told(form: str, zone: str) -> None:
    """An unknown form or zone is refused before a row is read."""
    with pytest.raises(ImportSourceError, match=f"{form or zone}"):
        time_reader(form, zone)


NUMBERS = {
    "decimal comma": ("12,50", ",", "", 12.5),
    "thousands": ("1.234,50", ",", "", 1234.5),
    "thousands of the English": ("1,234.50", ".", "", 1234.5),
    "thousands of the Swiss": ("1'234.50", ".", "", 1234.5),
    "narrow blanks": ("1\u202f234,50", ",", "", 1234.5),
    "pound": ("£2.55", "", "£", 2.55),
    "euro apart": ("€ 1.234,50", ",", "€", 1234.5),
    "code behind": ("12 USD", "", "USD", 12.0),
    "below nothing": ("-€5", ",", "€", -5.0),
    "a word for nothing": ("NULL", "", "", None),
    "no number of pandas": (float("nan"), "", "", None),
}
NO_NUMBERS = {
    "another decimal sign": (
        "12.50",
        ",",
        "",
        "price '12.50' is not a number; write it like 1.234,50",
    ),
    "another currency": ("$5", "", "£", "price '$5' is not a number"),
    "a currency": ("£5", "", "", "or set currency = '£' in a map"),
    "thousands unsaid": ("1,234.50", "", "", "or set decimal = ',' or '.' in a map"),
    "thousands of two digits": ("1.23,50", ",", "", "price '1.23,50' is not a number"),
    "a number of Python's": ("1_000", "", "", "price '1_000' is not a number"),
    "too large": ("1e400", "", "", "price '1e400' is not a number"),
    "infinite": (float("inf"), "", "", "price 'inf' is not a number"),
}


@pytest.mark.parametrize(
    ("value", "decimal", "currency", "expected"), NUMBERS.values(), ids=NUMBERS
)
def test_a_number_is_read_as_the_map_says(
    value: Any, decimal: str, currency: str, expected: float | None
) -> None:
    """Decimal signs, thousands separators and currencies are read where the map names them."""
    assert expected == number_of(value, "price", decimal, currency)


@pytest.mark.parametrize(
    ("value", "decimal", "currency", "message"), NO_NUMBERS.values(), ids=NO_NUMBERS
)
def test_a_number_in_another_form_is_told(
    value: Any, decimal: str, currency: str, message: str
) -> None:
    """A number in a form that the map does not name is an error, because a guess may be wrong."""
    with pytest.raises(ValueError, match=re.escape(message)):
        number_of(value, "price", decimal, currency)


def test_a_place_is_a_whole_number() -> None:
    """A fractional position is an error and is not rounded."""
    assert 3 == whole_number_of("3.0", "position")
    with pytest.raises(ValueError, match=r"position '1\.5' is not a whole number"):
        whole_number_of("1.5", "position")


@pytest.mark.parametrize("value", ["12,50", "free", "inf"])
def test_what_is_no_number_is_told(value: str) -> None:
    """The error for an unreadable or infinite number shows how to write one."""
    with pytest.raises(
        ValueError, match=re.escape(f"price {value!r} is not a number; write it like 1234.50")
    ):
        number_of(value, "price")
