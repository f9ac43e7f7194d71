"""Parquet tables: ids and times are read from every column type, or one line says why not."""

import re
from collections import Counter
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from mainstem.errors import ImportSourceError
from mainstem.importers.names import NoNameError, name_of
from mainstem.importers.notes import Notes
from mainstem.importers.tables import read_rows
from mainstem.importers.values import time_reader

# 2026-05-04 10:00 UTC, in seconds
TEN = 1_777_888_800
NOT_UTF8 = pa.Array.from_buffers(
    pa.string(), 2, [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0\3\0\0\0"), pa.py_buffer(b"\xff\xfeu")]
)
IDS = {
    "binary": (pa.array([b"M-1", b"M-2"]), ["M-1", "M-2"]),
    "large": (pa.array(["M-1", None], pa.large_string()), ["M-1", ""]),
    "view": (pa.array(["M-1", None], pa.string_view()), ["M-1", ""]),
    "dictionary": (pa.array(["M-1", "M-1"]).dictionary_encode(), ["M-1", "M-1"]),
    "dictionary of bytes": (pa.array([b"M-1", b"M-1"]).dictionary_encode(), ["M-1", "M-1"]),
    "decimal": (pa.array([Decimal("22423.00"), Decimal("1.50")]), ["22423", "1.50"]),
    "float with a gap": (pa.array([17850.0, None]), ["17850", ""]),
    "float of four bytes": (pa.array([17850.0, None], pa.float32()), ["17850", ""]),
    "float of two bytes": (pa.array([5.0, None], pa.float32()).cast(pa.float16()), ["5", ""]),
    "64 bits without a sign": (pa.array([2**64 - 1, 0], pa.uint64()), [str(2**64 - 1), "0"]),
    "null": (pa.nulls(2), ["", ""]),
    "day": (pa.array([date(2026, 5, 4)] * 2), ["2026-05-04"] * 2),
}


def read(path: Path, column: Any, name: str = "c", notes: Notes | None = None) -> list[Any]:
    """Return the values of one column."""
    parquet.write_table(pa.table({"c": column}), path)
    return [row[name] for row in read_rows(path, [name], notes=notes)]


@pytest.mark.parametrize(("column", "names"), IDS.values(), ids=IDS)
def test_an_id_is_the_same_in_every_type(column: Any, names: list[str], tmp_path: Path) -> None:
    """Text, bytes and numbers of any width give ids in their usual written form."""
    assert names == [name_of(value) for value in read(tmp_path / "t", column)]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([2.0**11, 5.0], pa.float32()).cast(pa.float16()),
        pa.array([2.0**24, 5.0], pa.float32()),
        pa.array([2.0**53 + 2, 5.0]),
        pa.array([True, False]),
    ],
)
def test_an_id_whose_digits_are_lost_is_refused(column: Any, tmp_path: Path) -> None:
    """Floats too large to count by ones, and booleans, are refused as ids."""
    with pytest.raises(NoNameError):
        name_of(read(tmp_path / "t", column)[0])


def test_a_part_of_an_object_is_named_by_a_dotted_path(tmp_path: Path) -> None:
    """A dotted path reads part of an object, and one that leads nowhere is a missing column."""
    users = pa.array([{"id": 5, "to": {"name": b"a"}}, {"id": None, "to": None}])
    assert [5, None] == read(tmp_path / "t", users, "c.id")
    assert [b"a", None] == read(tmp_path / "t", users, "c.to.name")
    assert ["A1", None] == read(tmp_path / "t", pa.array([["A1"], []]), "c.0")
    with pytest.raises(ImportSourceError, match=r"lacks the columns \['c.email'\]"):
        read(tmp_path / "t", users, "c.email")


@pytest.mark.parametrize(("unit", "times"), [("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9)])
@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Berlin"])
def test_a_time_is_the_same_in_every_unit(
    unit: str, times: int, zone: str | None, tmp_path: Path
) -> None:
    """A time is read the same from seconds to nanoseconds, with a zone and without."""
    column = pa.array([TEN * times, None], pa.timestamp(unit, zone))
    first, second = read(tmp_path / "t", column)
    assert (TEN * 1000, None) == (time_reader()(first), second)


FAR = {
    "ms": pa.array([2**62], pa.timestamp("ms")),
    "us, before": pa.array([-(2**63)], pa.timestamp("us", "UTC")),
    "ns": pa.array([2**63 - 1], pa.timestamp("ns")),
    "day": pa.array([2**31 - 1], pa.int32()).cast(pa.date32()),
}


@pytest.mark.parametrize("column", FAR.values(), ids=FAR)
def test_a_time_that_python_has_not_is_one_line(column: Any, tmp_path: Path) -> None:
    """A time that Python cannot represent costs its row only, and its reason says why."""
    (value,) = read(tmp_path / "t", column)
    with pytest.raises(ValueError, match=r"lies beyond the year 9999|is not between 1970 and 2100"):
        time_reader()(value)


def test_a_text_that_is_not_utf8_costs_its_row_only(tmp_path: Path) -> None:
    """A row with text that is not UTF-8 is counted and reported, and the others are read."""
    notes = Notes(Counter())
    assert ["u"] == read(tmp_path / "t", NOT_UTF8, notes=notes)
    assert {"not UTF-8": 1} == notes.left_out
    assert [f"row 1 of {str(tmp_path / 't')!r}: b'\\xff\\xfe'"] == notes.rows["not UTF-8"]


def test_two_columns_of_one_name_are_told(tmp_path: Path) -> None:
    """Two columns of the same name are refused, as in a CSV."""
    parquet.write_table(
        pa.Table.from_arrays([pa.array([1]), pa.array([2])], ["c", "c"]), tmp_path / "t"
    )
    with pytest.raises(
        ImportSourceError, match=re.escape("has 2 columns called 'c', 1 and 2; rename all but one")
    ):
        list(read_rows(tmp_path / "t", ["c"]))


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(count=st.integers(-(2**63), 2**63 - 1), unit=st.sampled_from(["ms", "us", "ns"]))
def test_any_timestamp_is_a_time_or_one_line(count: int, unit: str, tmp_path: Path) -> None:
    """Any timestamp is read as its millisecond, or refused with one line."""
    (value,) = read(tmp_path / "t", pa.array([count], pa.timestamp(unit)))
    try:
        found = time_reader()(value)
    except ValueError:
        return
    assert found == count // {"ms": 1, "us": 10**3, "ns": 10**6}[unit]
    assert isinstance(value, datetime)
