"""Cells: times in their forms and zones against the standard library, and what is no time or number."""

import re
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from mainstem.errors import ImportSourceError
from mainstem.events.importers.values import number_of, time_reader

NOON = datetime(2026, 7, 1, 12, 30, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
TIMES = {
    "ISO": ("2026-07-01T12:30:00Z", "", "UTC"),
    "ISO with blank": ("2026-07-01 12:30", "", "UTC"),
    "ISO with offset": ("2026-07-01T14:30:00+02:00", "", "America/New_York"),
    "named UTC": ("2026-07-01 12:30:00 UTC", "", "Europe/Berlin"),
    "in a zone": ("2026-07-01 14:30", "", "Europe/Berlin"),
    "seconds": (str(int(NOON.timestamp())), "s", "UTC"),
    "seconds as a float": (NOON.timestamp(), "s", "UTC"),
    "milliseconds": (int(NOON.timestamp() * 1000), "ms", "UTC"),
    "microseconds": (int(NOON.timestamp() * 1_000_000), "us", "UTC"),
    "pattern": ("07/01/2026 2:30 PM", "%m/%d/%Y %I:%M %p", "Europe/Berlin"),
    "timestamp": (NOON, "", "Europe/Berlin"),
    "naive timestamp": (datetime(2026, 7, 1, 14, 30), "s", "Europe/Berlin"),  # noqa: DTZ001 - as Parquet gives it
}
UNREADABLE = {
    "number": ("1511658000", "", "time '1511658000' is a number; say what it counts (s, ms, us)"),
    "words": ("yesterday", "", "time 'yesterday' is not ISO 8601; give its pattern"),
    "empty": (None, "", "its time is empty"),
    "milliseconds as seconds": ("1511658000000", "s", "time '1511658000000' is not between 1970 and 2100; is its form 's'?"),
    "no number": ("x", "ms", "time 'x' is no number of ms"),
    "another pattern": ("2026-07-01", "%d/%m/%Y", "time data '2026-07-01' does not match format"),
}


@pytest.mark.parametrize(("value", "form", "zone"), TIMES.values(), ids=TIMES)
def test_a_time_is_the_same_however_written(value: Any, form: str, zone: str) -> None:
    """Each form of a time gives the milliseconds that `datetime` counts."""
    assert int(NOON.timestamp() * 1000) == time_reader(form, zone)(value)


def test_a_day_begins_at_midnight_of_its_zone() -> None:
    """A date is its first moment, in summer and in winter."""
    read = time_reader(zone="Europe/Berlin")
    for day in (date(2026, 7, 1), date(2026, 12, 1)):
        midnight = datetime(day.year, day.month, day.day, tzinfo=BERLIN)
        assert int(midnight.timestamp() * 1000) == read(day) == read(day.isoformat())


@pytest.mark.parametrize(("value", "form", "message"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_is_no_time_is_told(value: Any, form: str, message: str) -> None:
    """An unreadable time says what it is and how to say its form."""
    with pytest.raises(ValueError, match=re.escape(message)):
        time_reader(form)(value)


@pytest.mark.parametrize(("form", "zone"), [("seconds", "UTC"), ("", "Europe/Atlantis"), ("", "../etc/passwd")])
def test_a_form_or_zone_that_is_none_is_told(form: str, zone: str) -> None:
    """A wrong form or zone is found before a row is read."""
    with pytest.raises(ImportSourceError, match=f"{form or zone}"):
        time_reader(form, zone)


@pytest.mark.parametrize("value", ["12,50", "free", "inf"])
def test_what_is_no_number_is_told(value: str) -> None:
    """A number that Python would not read, or that is infinite, is named with an example of one."""
    with pytest.raises(ValueError, match=re.escape(f"price {value!r} is no number; write it like 1234.50")):
        number_of(value, "price")
