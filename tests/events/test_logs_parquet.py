"""Event logs as Parquet: both layouts, all events, all units of time, and files that are no log."""

import json
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from mainstem.errors import LogError
from mainstem.events import Refusal, decode, encode, read_lines
from mainstem.events.logs import LONGEST_LINE
from tests.events.test_decode import KINDS, WHO, events
from tests.importers.packing import write_fields

EVENTS = [fields for fields, _ in KINDS]
VIEW = {"type": "view", **WHO, "item_id": "a"}


def read_back(columns: dict, folder: Path) -> list[bytes]:
    """Write a table and return the lines that are read from it."""
    parquet.write_table(pa.table(columns), folder / "log")
    return list(read_lines(folder / "log"))


def message_of(path: Path) -> str:
    with pytest.raises(LogError) as caught:
        list(read_lines(path))
    return str(caught.value)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Shanghai"])
def test_columns_of_fields_become_the_same_events(
    unit: str, zone: str | None, tmp_path: Path
) -> None:
    """Each kind of event is read from columns, whatever the unit and the zone of its time."""
    later = [{**fields, "event_timestamp": 1_291_191_960_000} for fields in EVENTS]
    write_fields([{"event_id": "t", **fields} for fields in later], tmp_path / "log", unit, zone)
    assert [decode(json.dumps(fields).encode()) for fields in later] == [
        decode(line) for line in read_lines(tmp_path / "log")
    ]


@settings(
    deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(events, min_size=1, max_size=20))
def test_any_events_come_back_from_either_layout(tmp_path: Path, given_events: list) -> None:
    """Texts in any script, numbers of any size and absent fields survive both layouts."""
    lines = [encode(event) for event in given_events]
    assert lines == read_back({"raw": lines}, tmp_path)
    fields = [json.loads(line) for line in lines]
    write_fields(
        [{**one, "event_id": one.get("event_id", "t")} for one in fields], tmp_path / "log"
    )
    assert given_events == [decode(line) for line in read_lines(tmp_path / "log")]


@pytest.mark.parametrize("name", ["value", "raw", "event"])
@pytest.mark.parametrize(
    "kind",
    [
        pa.string(),
        pa.large_string(),
        pa.string_view(),
        pa.binary(),
        pa.large_binary(),
        pa.dictionary(pa.int8(), pa.string()),
    ],
    ids=str,
)
def test_a_column_of_json_is_handed_on_as_it_is(
    name: str, kind: pa.DataType, tmp_path: Path
) -> None:
    """Whole events in a column are passed on unchanged, and a null becomes an empty line."""
    line = json.dumps(VIEW)
    lines = read_back(
        {"key": ["k", "k"], name: pa.array([line, None], pa.string()).cast(kind)}, tmp_path
    )
    assert [line.encode(), b""] == lines


def test_what_lies_below_a_millisecond_is_cut_off(tmp_path: Path) -> None:
    """A time in nanoseconds is cut to its millisecond and not rounded up."""
    times = pa.array([1_999_999], pa.timestamp("ns"))
    (line,) = read_back(
        {**{name: [value] for name, value in VIEW.items()}, "event_timestamp": times}, tmp_path
    )
    assert 1 == decode(line).event_timestamp


def test_nulls_and_other_columns_are_left_out(tmp_path: Path) -> None:
    """A null is an absent field, in a struct too, and columns of no event are not read."""
    items = [[{"item_id": "a", "position": None}, {"item_id": "b", "position": 2}]]
    more = {
        "type": ["impression"],
        "impression_id": ["m"],
        "items": items,
        "query": [None],
        "warehouse": [b"\xff"],
    }
    (line,) = read_back({**{name: [value] for name, value in WHO.items()}, **more}, tmp_path)
    expected = {"type": "impression", **WHO, "impression_id": "m"}
    expected["items"] = [{"item_id": "a"}, {"item_id": "b", "position": 2}]
    assert expected == json.loads(line)


def test_bytes_are_text_and_decimals_are_numbers(tmp_path: Path) -> None:
    """Text as bytes, prices as decimals and dictionary columns are read as their values."""
    fields = {
        "type": pa.array(["purchase"]).dictionary_encode(),
        "event_id": [b"e"],
        "user_id": ["u"],
        "item_id": ["杯".encode()],
    }
    (line,) = read_back({**fields, "event_timestamp": [5], "price": [Decimal("2.50")]}, tmp_path)
    assert {"type": "purchase", **WHO, "item_id": "杯", "price": 2.5} == json.loads(line)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"item_id": [b"caf\xe9"]}, "the line is not UTF-8: byte 0xe9"),
        ({"item_id": [7]}, "Expected `str`, got `int`"),
        ({"event_timestamp": [1.5]}, "Expected `int`, got `float`"),
        ({"item_id": ["x" * (LONGEST_LINE + 1)]}, "the line is longer than 1,000,000 bytes"),
        ({"user_id": [None]}, "Object missing required field `user_id`"),
    ],
    ids=["Latin-1", "number", "fraction", "endless", "null"],
)
def test_a_bad_row_is_refused_by_itself(change: dict, reason: str, tmp_path: Path) -> None:
    """A row that is no event is refused with its reason, as a line would be."""
    (line,) = read_back({**{name: [value] for name, value in VIEW.items()}, **change}, tmp_path)
    found = decode(line)
    assert isinstance(found, Refusal)
    assert found.reason.startswith(reason)


@pytest.mark.parametrize(
    ("columns", "missing"),
    [
        ({"type": ["view"], "user_id": ["u"]}, "['event_id', 'event_timestamp']"),
        ({"value": [1]}, "['type', 'event_id', 'event_timestamp']"),
    ],
    ids=["fields", "a value that is no text"],
)
def test_a_table_without_the_needed_columns_is_no_log(
    columns: dict, missing: str, tmp_path: Path
) -> None:
    """The error names the missing columns, the columns there are, and both layouts."""
    parquet.write_table(pa.table(columns), tmp_path / "log")
    told = message_of(tmp_path / "log")
    expected = f"lacks the columns {missing}; it has {list(columns)!r}"
    assert f"{str(tmp_path / 'log')!r} {expected}" in told
    assert "`value`, `raw`, `event`" in told


def test_a_number_or_a_time_beyond_bounds_costs_its_row_only(tmp_path: Path) -> None:
    """A row with an infinite price or a time that Python lacks is refused alone."""
    many = {
        name: [value] * 2 for name, value in VIEW.items() if name not in {"event_timestamp", "type"}
    }
    prices = {
        "type": ["purchase"] * 2,
        "event_timestamp": [5, 5],
        "price": [float("inf"), 3.5],
        **many,
    }
    far = {
        "type": ["view"] * 2,
        "event_timestamp": pa.array([2**62, 5000], pa.timestamp("us")),
        **many,
    }
    for columns in (prices, far):
        assert [True, False] == [
            isinstance(decode(line), Refusal) for line in read_back(columns, tmp_path)
        ]


def test_times_as_floats_of_four_bytes_are_told(tmp_path: Path) -> None:
    """Times as floats of four bytes are refused, because they are minutes off."""
    columns = {
        **{name: [value] for name, value in VIEW.items()},
        "event_timestamp": pa.array([5.0], pa.float32()),
    }
    parquet.write_table(pa.table(columns), tmp_path / "log")
    assert "has event_timestamp as floats of four bytes" in message_of(tmp_path / "log")


def test_a_broken_table_gives_its_rows_first(tmp_path: Path) -> None:
    """A truncated or damaged file is an error in one line, with the last good row."""
    path = tmp_path / "log"
    write_fields(
        [{**VIEW, "event_id": str(number)} for number in range(10_000)], path, compression="zstd"
    )
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    assert "is a broken Parquet file after row 0 (" in message_of(path)
    middle = len(whole) // 2
    path.write_bytes(whole[:middle] + bytes(2000) + whole[middle + 2000 :])
    told = message_of(path)
    assert "is a broken Parquet file after row " in told
    assert "\n" not in told


def test_an_empty_table_is_an_empty_log(tmp_path: Path) -> None:
    """A table without rows is an empty log."""
    parquet.write_table(pa.table({"value": pa.array([], pa.string())}), tmp_path / "log")
    assert "is empty; it should hold one JSON event per line" in message_of(tmp_path / "log")


def test_without_pyarrow_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where pyarrow is not installed the message says what to install."""
    parquet.write_table(pa.table({"value": ["{}"]}), tmp_path / "log")
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    expected = "reading Parquet needs pyarrow; `pip install 'mainstem[parquet]'`"
    assert expected in message_of(tmp_path / "log")
