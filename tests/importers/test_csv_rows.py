"""CSV is read strictly: an error names any row whose columns would shift or swallow others."""

import csv
import io
import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mainstem.errors import ImportSourceError
from mainstem.importers.csv_rows import Dialect, csv_rows
from mainstem.importers.notes import Notes
from mainstem.importers.rows import Wanted

HEAD = "at,sku,name,price\n"
ROW = "10:00,A1,Mug,9.50\n"
READ = {"at": "10:00", "sku": "A1", "name": "Mug", "price": "9.50"}


def read(
    text: str, dialect: Dialect | None = None, *, columns: tuple[str, ...] = ("sku", "price")
) -> tuple[list[dict[str, str]], Counter[str]]:
    """Return the rows, and the counts of what was left out."""
    notes = Notes()
    lines = io.StringIO(text, newline="")
    rows = csv_rows(lines, Path("x.csv"), Wanted(columns), notes, dialect=dialect)
    return [dict(row) for row in rows], notes.left_out


REFUSED = {
    "quote never closed": (
        HEAD + '10:00,A1,"32"" TV,3\n' + ROW,
        "a quote opened at row 1 of 'x.csv' (line 2) is never closed",
    ),
    "closed within a later row": (
        HEAD + ROW + '10:00,A1,"32"" TV,3\n' + ROW + '10:00,A2,"Bowl",3\n',
        "a quote opened at row 2 of 'x.csv' (line 3) is not closed before line 5",
    ),
    "inches": (
        HEAD + '10:00,A1,"32" TV",3\n',
        "row 1 of 'x.csv' (line 2) has a quote within a quoted field; double it",
    ),
    "short row": (
        HEAD + ROW + "\n10:00,A1,Mug with\n a handle,3\n",
        (
            "row 2 of 'x.csv' (line 4) has 3 fields, fewer than the header's 4: "
            "['10:00', 'A1', 'Mug with']"
        ),
    ),
    "long row": (
        HEAD + "10:00,A1,Mug, red,3\n",
        "row 1 of 'x.csv' (line 2) has more fields than the header's 4",
    ),
    "column twice": (
        "at,sku,price,price\n",
        "has 2 columns called 'price', 3 and 4; rename all but one",
    ),
    "twice but for blanks": (
        "at,sku,price,\ufeff price \n",
        "has 2 columns called 'price', 3 and 4",
    ),
    "no column": ("at,sku\n", "'x.csv' lacks the columns ['price']; it has ['at', 'sku']"),
    "endless header": ("x" * 300 + "\n", "it has ['" + "x" * 57 + "...']"),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED)
def test_what_would_shift_or_swallow_is_told_with_its_row(text: str, message: str) -> None:
    """The error names the row where the fault begins, by number and by line."""
    with pytest.raises(ImportSourceError, match=re.escape(message)):
        read(text)


SAME = {
    "sep line": "sep=;\n" + (HEAD + ROW).replace(",", ";"),
    "quoted sep line": '"sep=|"\r\n' + (HEAD + ROW).replace(",", "|"),
    "tab": (HEAD + ROW).replace(",", "\t"),
    "carriage returns": (HEAD + ROW).replace("\n", "\r"),
    "mixed line ends": HEAD.replace("\n", "\r\n") + ROW.replace("\n", "\r"),
    "blank lines": f"\n\n{HEAD}\n   \n{ROW}\r\n",
    "blanks in the header": (HEAD + ROW).replace("price", " price\u00a0"),
    "a zero byte in the header": (HEAD + ROW).replace("price", "pri\0ce"),
    "blanks before quotes": HEAD + '10:00, "A1", "Mug", "9.50"\n',
    "no end of the last line": (HEAD + ROW).rstrip("\n"),
}


@pytest.mark.parametrize("text", SAME.values(), ids=SAME)
def test_what_does_not_matter_is_read(text: str) -> None:
    """Delimiters, line ends and blank lines do not change the row that is read."""
    assert ([READ], {}) == read(text)


def test_columns_that_nobody_reads_may_have_any_name() -> None:
    """Columns that are not read may be nameless or share a name."""
    rows, _ = read(",sku,price,z,z\n0,A1,3,a,b\n")
    assert [("A1", "3")] == [(row["sku"], row["price"]) for row in rows]


def test_rows_within_a_field_are_left_out_and_counted() -> None:
    """A field is left out and counted if its quote is closed only by a quote of a later row."""
    rows, left_out = read(HEAD + '10:00,A1,"32"" TV,3\n' + ROW + '10:00,A2,Bowl",3\n' + ROW)
    assert ([READ], {"with whole rows in one field: a quote was not closed": 1}) == (rows, left_out)


def test_a_field_of_several_lines_is_one_field() -> None:
    """Line breaks and delimiters within quotes are part of the text."""
    rows, _ = read(HEAD + '10:00,A1,"Mug\nred, with\na handle",3\n')
    assert "Mug\nred, with\na handle" == rows[0]["name"]


def test_a_field_of_any_length_is_read() -> None:
    """A field that is too long for an event does not end the import at this stage."""
    rows, _ = read(HEAD + f"10:00,A1,{'x' * 200_000},3\n" + ROW)
    assert [200_000, 3] == [len(row["name"]) for row in rows]


def test_a_map_can_say_how_a_csv_is_written() -> None:
    """A dialect sets the delimiter, the quote and the character that escapes a quote."""
    rows, _ = read(HEAD + '10:00,A1,"32\\" TV, big",3\n', Dialect(escape="\\"))
    assert '32" TV, big' == rows[0]["name"]
    assert '"32 TV' == read(HEAD + '10:00,A1,"32 TV,3\n', Dialect(quote=""))[0][0]["name"]
    assert "a, b" == read(HEAD + "10:00,A1,'a, b',3\n", Dialect(quote="'"))[0][0]["name"]
    assert [READ] == read((HEAD + ROW).replace(",", "~"), Dialect(delimiter="~"))[0]


def test_a_delimiter_within_quotes_after_a_blank_is_a_part_of_the_field() -> None:
    """Quotes after a blank still quote a field, and a blank before an unquoted field is kept."""
    rows, left_out = read(
        HEAD + '10:00, "A1", "Mug, ""red""", 3\n' + '10:00, "A2", x, 3\n',
        columns=("sku", "name", "price"),
    )
    assert [("A1", 'Mug, "red"'), ("A2", " x")] == [(row["sku"], row["name"]) for row in rows]
    assert not left_out


FIELD = st.text(st.sampled_from("aé\",;\t|\n\r '\\☕0"), max_size=8)


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(st.tuples(FIELD, FIELD, FIELD), min_size=1, max_size=5),
    delimiter=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_what_a_csv_writer_writes_is_read_as_it_was(
    rows: list[tuple[str, str, str]], delimiter: str, end: str, quoting: int
) -> None:
    """Fields come back as they were written, or are counted because they look like rows."""
    if any("\r" in cell for row in rows for cell in row):
        # subtle: the writer of an older Python does not quote a carriage return
        quoting = csv.QUOTE_ALL
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting)
    writer.writerows([("sku", "price", "name"), *rows])
    read_back, left_out = read(text.getvalue())
    found = [(row["sku"], row["price"], row["name"]) for row in read_back]
    assert len(rows) == len(found) + sum(left_out.values())
    assert rows == found or left_out
    assert not set(found) - set(rows)


@settings(max_examples=100, deadline=None)
@given(st.text(st.sampled_from('a",\n\r0'), max_size=60))
def test_any_text_gives_rows_of_the_headers_width_or_one_error(text: str) -> None:
    """Whatever follows a header, each row has exactly the columns of the header."""
    try:
        rows, _ = read(HEAD + text)
    except ImportSourceError:
        return
    assert all(set(READ) == set(row) for row in rows)
