"""Tables on disk: format, packing, delimiter and encoding do not change the rows."""

import gzip
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from mainstem.errors import ImportSourceError
from mainstem.importers.tables import read_rows

COLUMNS = ("sku", "name")
CSV = "sku,name\nA1,red mug\nB2,\n"
FORMS: dict[str, Callable[[str], bytes]] = {
    "comma": str.encode,
    "semicolon": lambda text: text.replace(",", ";").encode(),
    "tab": lambda text: text.replace(",", "\t").encode(),
    "byte order mark": lambda text: text.encode("utf-8-sig"),
    "UTF-16": lambda text: text.encode("utf-16"),
    "Windows line ends": lambda text: text.replace("\n", "\r\n").encode(),
    "gzip": lambda text: gzip.compress(text.encode()),
    "JSON lines": lambda _: b'{"sku":"A1","name":"red mug"}\n\n{"sku":"B2","name":"","more":1}\n',
    "packed JSON lines": lambda _: gzip.compress(
        b'{"sku":"A1","name":"red mug"}\n{"sku":"B2","name":""}\n'
    ),
}
UNREADABLE = {
    "missing column": (b"sku,title\n1,2\n", "lacks the columns ['name']; it has ['sku', 'title']"),
    "missing key": (b'{"sku":"A1"}\n', "lacks the columns ['name']"),
    "empty": (b"", "lacks the columns ['sku', 'name']"),
    "Excel": (
        b"PK\x03\x04\x14\0[Content_Types].xml",
        "is a spreadsheet (such as .xlsx) or office file; save the sheet as CSV (UTF-8)",
    ),
    "binary": (b"\x01\0\0\0", "is neither CSV, JSON lines nor Parquet"),
    "cut-off Parquet": (b"PAR1\x15\x04\x15", "is a broken Parquet file"),
    "open quotation": (b'sku,name\nA,"' + b"x" * 200_000, "(line 2) is never closed; close it"),
    "no known encoding": (
        b"sku,name\nA,\x81\x8d\n",
        "is not UTF-8, and does not look like Windows-1252; give --encoding NAME",
    ),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_the_form_of_a_file_does_not_matter(form: Callable[[str], bytes], tmp_path: Path) -> None:
    """A table gives the same rows however it is written, packed and named."""
    (tmp_path / "table").write_bytes(form(CSV))
    rows = [{name: row[name] for name in COLUMNS} for row in read_rows(tmp_path / "table", COLUMNS)]
    assert [{"sku": "A1", "name": "red mug"}, {"sku": "B2", "name": ""}] == rows


def test_parquet_gives_python_values_and_wanted_columns_only(tmp_path: Path) -> None:
    """Nanoseconds become Python times, and optional columns are read where they exist."""
    at = pa.array([1_577_836_800_000_000_001, None], pa.timestamp("ns", "UTC"))
    parquet.write_table(
        pa.table({"sku": ["A1", None], "at": at, "more": [1, 2]}), tmp_path / "table"
    )
    rows = list(read_rows(tmp_path / "table", ["sku", "at"], optional=["name"]))
    assert [
        {"sku": "A1", "at": datetime(2020, 1, 1, tzinfo=UTC)},
        {"sku": None, "at": None},
    ] == rows
    assert [1, 2] == [
        row["more"] for row in read_rows(tmp_path / "table", ["sku"], optional=["more"])
    ]


def test_a_table_without_a_header_can_have_names_from_outside(tmp_path: Path) -> None:
    """If the caller names the columns, the first row of a file without a header is a row."""
    (tmp_path / "table").write_text("A1,red mug\n")
    assert [{"sku": "A1", "name": "red mug"}] == list(
        read_rows(tmp_path / "table", COLUMNS, headless=COLUMNS)
    )


@pytest.mark.parametrize(("content", "message"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_is_no_such_table_is_told(content: bytes, message: str, tmp_path: Path) -> None:
    """A file without the columns, or in a wrong or broken format, is an error that names it."""
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(
        ImportSourceError,
        match=f"{re.escape(repr(str(path)))} .*{re.escape(message)}".replace("' .*", "' ?.*"),
    ):
        list(read_rows(path, COLUMNS))


def test_a_broken_packing_is_told_with_the_last_good_row(tmp_path: Path) -> None:
    """A gzip stream that breaks off is an error and not the end of the table."""
    packed = gzip.compress(
        ("sku,name\n" + "".join(f"A{n},mug {n * 7919}\n" for n in range(20_000))).encode()
    )
    (tmp_path / "table.gz").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(
        ImportSourceError,
        match=r"the gzip stream of '.*table.gz' breaks off after row \d+ .*; copy it again",
    ):
        list(read_rows(tmp_path / "table.gz", COLUMNS))


def test_a_field_too_many_is_told_with_its_row(tmp_path: Path) -> None:
    """A delimiter that should have been quoted stops the import, as it would shift columns."""
    (tmp_path / "table").write_text("sku,name\nA1,red mug\nB2,mug, blue\n")
    with pytest.raises(
        ImportSourceError,
        match=r"row 2 of .* has more fields than the header's 2: .*must be quoted",
    ):
        list(read_rows(tmp_path / "table", COLUMNS))


def test_a_line_that_is_no_json_is_told_with_its_number(tmp_path: Path) -> None:
    """A line that is not JSON is an error with the number of the line."""
    (tmp_path / "table").write_text(json.dumps({"sku": "A1", "name": "mug"}) + "\n{oops\n")
    with pytest.raises(ImportSourceError, match=r"line 2 of .* is not a JSON object"):
        list(read_rows(tmp_path / "table", COLUMNS))


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    """The error for a missing file has its path and the advice to check it."""
    with pytest.raises(
        ImportSourceError,
        match=r"cannot read '.*none.csv': No such file or directory; check the path",
    ):
        read_rows(tmp_path / "none.csv", COLUMNS)
