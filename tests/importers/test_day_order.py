"""Dates whose day may come first or second are read in one order for the whole file."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mainstem.errors import ImportSourceError
from mainstem.importers.day_order import DayOrder, with_times
from mainstem.importers.notes import Notes


def read(*dates: Any, order: DayOrder | None = None) -> tuple[list[str], list[str]]:
    """Return the days in ISO form, in the order of the rows, and what is reported."""
    notes = Notes()
    found = [millis for _, millis in with_times([{"at": one} for one in dates], "at", order, notes)]
    days = [datetime.fromtimestamp(millis / 1000, UTC).date().isoformat() for millis in found]
    return days, notes.told


def test_a_later_date_decides_for_those_before_it() -> None:
    """Rows wait for the first date that has only one order, and all are read in that order."""
    days, told = read(
        "01/12/2010 08:26", "02/12/2010 08:26", "13/12/2010 08:26", "03/12/2010 08:26"
    )
    assert ["2010-12-01", "2010-12-02", "2010-12-13", "2010-12-03"] == days
    sentence = "all dates are read day-first (like '13/12/2010 08:26'); --dates says otherwise"
    assert [sentence] == told
    assert ["2010-12-01", "2010-12-13"] == read("12/01/2010 08:26", "12/13/2010 08:26")[0]


def test_the_published_form_is_month_first() -> None:
    """Ambiguous dates without leading zeros are read month-first, which is reported."""
    days, told = read("12/1/2010 8:26", "1/12/2010 8:26:01")
    assert (["2010-12-01", "2010-01-12"], 1) == (days, len(told))


def test_a_word_decides_at_once() -> None:
    """With a given order no row waits, and short years and other separators are read too."""
    days, _ = read("01/12/2010", "2.12.10 8:26", order=DayOrder.DAY_FIRST)
    assert ["2010-12-01", "2010-12-02"] == days
    assert ["2010-01-12"] == read("01-12-2010 08:26", order=DayOrder.MONTH_FIRST)[0]


@pytest.mark.parametrize(
    ("dates", "message"),
    [
        (
            ["01/12/2010 08:26"],
            "no date of the file shows which; give --dates day-first or --dates month-first",
        ),
        (
            ["13/12/2010 08:26", "12/13/2010 08:26"],
            r"row 2 .*'12/13/2010 08:26' read day-first is not a date",
        ),
        (
            ["01/12/2010 08:26", "2010-12-02"],
            r"row 2 .*'2010-12-02' has another form than '01/12/2010 08:26' of row 1",
        ),
        (["31/31/2010 08:26"], r"may have the day or the month first|is not a date|row 1"),
        (["yesterday"], r"row 1 .*at 'yesterday' has none of the forms"),
        ([None], r"row 1 .*at '' has none of the forms"),
    ],
)
def test_a_date_that_does_not_fit_the_others_is_told(dates: list[Any], message: str) -> None:
    """A file whose order changes or cannot be known ends the import with an error."""
    with pytest.raises(ImportSourceError, match=message):
        read(*dates)


@given(
    st.lists(st.dates(date(1971, 1, 1), date(2099, 1, 1)), min_size=1),
    st.sampled_from(DayOrder),
)
def test_no_file_is_read_in_two_orders(days: list[Any], order: DayOrder) -> None:
    """Dates written in one order are all read as they were meant, or the file is refused."""
    form = "%d/%m/%Y 08:26" if order is DayOrder.DAY_FIRST else "%m/%d/%Y 08:26"
    written = [day.strftime(form) for day in days]
    wanted = [day.isoformat() for day in days]
    assert wanted == read(*written, order=order)[0]
    try:
        found, _ = read(*written)
    except ImportSourceError:
        assert all(day.day <= 12 for day in days)
        return
    tells = any(day.day > 12 for day in days)
    assert not tells or wanted == found
