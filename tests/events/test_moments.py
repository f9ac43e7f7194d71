"""Moments of event time, as they are written and as they cut a log."""

import json

import pytest

from mainstem.errors import SettingError
from mainstem.events.moments import lines_until, moment, written

# `date -d 2011-01-15T00:00Z +%s%3N`
DAY = 1295049600000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2011-01-15", DAY),
        ("2011-01-15T00:00Z", DAY),
        ("2011-01-15 00:00:00.250Z", DAY + 250),
        ("2011-01-15T01:30+01:30", DAY),
        ("2011-01-14T19:00:00-05:00", DAY),
        ("1969-12-31T23:59:59Z", -1000),
        ("0001-01-01", -62135596800000),
        ("9999-12-31T23:59:59.999-23:59", 253402387139999),
    ],
)
def test_a_moment_is_a_date_or_a_time_with_its_offset(text: str, expected: int) -> None:
    """A date means its first moment in UTC, and a time has `Z` or an offset."""
    assert expected == moment(text)


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2011-01-15T00:00", "2011-13-15", "15.01.2011", "20110115", "1295049600000"],
)
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    """A text that is no moment, or is ambiguous, is refused in one line with an example."""
    with pytest.raises(
        SettingError, match=r"^write a moment like 2011-01-15 [^\n]*got '"
    ) as refused:
        moment(text)
    assert repr(text) in str(refused.value)


@pytest.mark.parametrize("time", [0, DAY, DAY + 1, -62135596800000, 253402300799999])
def test_what_is_written_is_read_as_the_same_moment(time: int) -> None:
    """`written` and `moment` are inverses."""
    assert time == moment(written(time))


def line(kind: str, time: int) -> bytes:
    """Make an event of a kind at a time."""
    return json.dumps(
        {
            "type": kind,
            "event_timestamp": time,
            "event_id": "e",
            "item_id": "i",
            "title": "t",
            "user_id": "u",
        }
    ).encode()


def test_a_log_is_cut_before_its_first_event_later_than_the_moment() -> None:
    """A log is cut before its first later event; items and refused lines never cut it."""
    log = [
        line("item", 99),
        line("view", 5),
        b"no event",
        line("view", 3),
        line("view", 7),
        line("view", 5),
    ]
    assert [0, 4, 4, None] == [lines_until(log, time) for time in (4, 5, 6, 7)]
