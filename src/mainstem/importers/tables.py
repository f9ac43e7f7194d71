"""Reads tables row by row: CSV with any usual delimiter, JSON lines, or Parquet.

CSV and JSON lines may be packed by gzip or zstd. The first bytes of a file, not its name, decide
its format. Standard input and pipes are copied to a file first, because a table is inspected before
it is read.
"""

import codecs
import os
import re
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from itertools import chain
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Final, TypeAlias

from mainstem.errors import ImportSourceError, LogError
from mainstem.events.archives import START, foreign
from mainstem.events.forms import Form, form_of
from mainstem.importers import rows as rows_of_files
from mainstem.importers.csv_rows import Dialect, csv_rows
from mainstem.importers.encodings import BAD, HANDLER, bytes_of, encoding_of, register, without_mark
from mainstem.importers.json_rows import json_rows
from mainstem.importers.names import nothing_said
from mainstem.importers.notes import Notes, SilentNotes
from mainstem.importers.parquet_rows import parquet_rows
from mainstem.importers.rows import Wanted

__all__ = ["Row", "read_rows"]

Row: TypeAlias = Mapping[str, Any]

_FIRST_LINE: Final = 1_000_000  # characters of the first line that are inspected
# a JSON array, but not `[id],[name]`, a header as SQL Server writes it
_ARRAY: Final = re.compile(r"\s*\[\s*(\{|\[|\]|$)")
_LONGEST_NOTHING: Final = 40
_NOTHING_BEGINS: Final = frozenset("nN<(#\\-uU[0\u2013\u2014 .")
# two characters that may be one letter of UTF-8 in another encoding
_TWICE: Final = re.compile(r"[\xc2-\xf4][^\x00-\x7f]")
_UNSEEN: Final = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


def read_rows(
    path: Path,
    columns: Sequence[str],
    *,
    optional: Sequence[str] = (),
    headless: Sequence[str] = (),
    aliases: Mapping[str, str] | None = None,
    encoding: str = "",
    dialect: Dialect | None = None,
    notes: Notes | None = None,
) -> Iterator[Row]:
    r"""Read the rows of a table.

    Args:
        path: the file; `-` for standard input.
        columns: columns that the table must have; rows may hold more. In JSON lines and Parquet
            `user.id` means the part `id` of `user`.
        optional: columns that are read if the table has them.
        headless: names of the columns of a CSV that may lack a header.
        aliases: the name of a column, by another name under which files may have it.
        encoding: encoding of the text; empty to find it.
        dialect: how a CSV is written, where its header does not tell.
        notes: where remarks on the file and unreadable rows are collected; None to raise an error
            at the first unreadable row.

    Returns:
        An iterator over rows, each a mapping from the name of a column to its value.

    Raises:
        ImportSourceError: if the file is missing or broken, has another format, or lacks a column.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder) / "sales.csv"
        ...     _ = path.write_text("sku;price\nA1;9.50\n")
        ...     list(read_rows(path, ["sku"]))
        [{'sku': 'A1', 'price': '9.50'}]
    """
    if path.is_dir():
        msg = (
            f"{str(path)!r} is a folder; "
            "import the files in it one by one, each into a log of its own"
        )
        raise ImportSourceError(msg)
    if str(path) != "-":
        try:
            path.stat()
        except OSError as error:
            msg = f"cannot read {str(path)!r}: {os.strerror(error.errno or 0)}; check the path"
            raise ImportSourceError(msg) from error
    wanted, notes = Wanted(columns, optional, aliases), notes or SilentNotes()
    return _checked(_rows(path, wanted, headless, encoding, dialect, notes), wanted, path, notes)


def _rows(
    path: Path,
    wanted: Wanted,
    headless: Sequence[str],
    encoding: str,
    dialect: Dialect | None,
    notes: Notes,
) -> Iterator[Row]:
    with _regular(path) as real:
        try:
            form = form_of(real)
        except LogError as error:
            raise ImportSourceError(str(error).replace("the log ", "", 1)) from error
        if form.name == "Parquet":
            yield from parquet_rows(real, wanted)
            return
        done = 0
        try:
            _refuse_foreign(real, path, form)
            found = encoding_of(
                path, lambda: form.open(real), notes, given=encoding, broken=form.errors
            )
            with TextIOWrapper(form.open(real), encoding=found, errors=HANDLER, newline="") as file:
                for row in _text_rows(file, path, wanted, headless, dialect, notes):
                    done = rows_of_files.number_of_row(row, done + 1)
                    yield row
        except form.errors as error:
            place = f"the {form.name} stream of {str(path)!r}"
            msg = f"{place} breaks off after row {done} ({error}); copy it again"
            raise ImportSourceError(msg) from error


@contextmanager
def _regular(path: Path) -> Iterator[Path]:
    """Give the file itself, or a copy of a pipe's content, which can be read only once."""
    if str(path) != "-" and path.is_file():
        yield path
        return
    with NamedTemporaryFile(prefix="mainstem-") as copy:
        if str(path) == "-":
            shutil.copyfileobj(sys.stdin.buffer, copy)
        else:
            with path.open("rb") as pipe:
                shutil.copyfileobj(pipe, copy)
        copy.flush()
        yield Path(copy.name)


def _refuse_foreign(real: Path, path: Path, form: Form) -> None:
    with form.open(real) as file:
        start = file.read(START)
    if what := foreign(start, unpacked=bool(form.tool)):
        msg = f"{str(path)!r} is {what}"
        raise ImportSourceError(msg)
    marks = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
    if without_mark(start) or start.startswith(marks):
        return
    strange = sum(byte < 32 and byte not in b"\t\r\n\f\0\x1b" for byte in start)
    if strange > len(start) // 10 or (start and not start.strip(b"\0")):
        msg = (
            f"{str(path)!r} is neither CSV, JSON lines nor Parquet; "
            "unpack it or save it as one of them"
        )
        raise ImportSourceError(msg)


def _text_rows(
    file: TextIOWrapper,
    path: Path,
    wanted: Wanted,
    headless: Sequence[str],
    dialect: Dialect | None,
    notes: Notes,
) -> Iterator[Row]:
    blank = []
    while (first := file.readline(_FIRST_LINE)) and not first.strip("\r\n \t\ufeff"):
        blank.append(first)
    if _ARRAY.match(first):
        how = "one JSON array" if len(first.strip()) > 1 else "one JSON array over several lines"
        msg = (
            f"{str(path)!r} is {how}, but must be lines of one object each: "
            "`jq -c '.[]' FILE > NEW` makes lines"
        )
        raise ImportSourceError(msg)
    whole = first if first.endswith(("\r", "\n")) else first + file.readline()
    lines: Iterable[str] = chain(blank, [whole], file)
    if first.lstrip().startswith("{"):
        yield from json_rows(lines, path, wanted, notes)
        return
    yield from csv_rows(lines, path, wanted, notes, headless=headless, dialect=dialect)


def _checked(rows: Iterator[Row], wanted: Wanted, path: Path, notes: Notes) -> Iterator[Row]:
    """Yield the rows whose bytes are all text, and count the cells that look wrong."""
    register()
    for row in rows:
        texts = [
            (name, cell) for name in wanted.all if isinstance(cell := row.get(name), str) and cell
        ]
        bad = next((cell for _, cell in texts if not cell.isascii() and BAD.search(cell)), None)
        if bad is not None or any("\0" in cell for _, cell in texts):
            reason = "with a zero byte in it" if bad is None else "not UTF-8"
            place = f"row {rows_of_files.number_of_row(row, 0)} of {str(path)!r}"
            shown = next(cell for _, cell in texts if cell == bad or "\0" in cell)
            notes.leave_out(place, reason, repr(bytes_of(shown)[:120]))
            continue
        for name, cell in texts:
            if not cell.isascii():
                _note(name, cell, notes)
            if len(cell) < _LONGEST_NOTHING and cell[0] in _NOTHING_BEGINS and nothing_said(cell):
                what = f"say {cell!r}, which is nothing as an id, a number, a category or a brand"
                notes.cells[name, what] += 1
        yield row


def _note(name: str, cell: str, notes: Notes) -> None:
    if not unicodedata.is_normalized("NFC", cell):
        what = "write letters in parts (NFD); they are read as whole letters (NFC)"
        notes.cells[name, what] += 1
    if "\ufffd" in cell:
        what = "hold \ufffd, which stands for a letter that was lost before this file was written"
        notes.cells[name, what] += 1
    elif _is_read_twice(cell):
        what = "look like UTF-8 that was read as Windows-1252 before this file was written"
        notes.cells[name, what] += 1
    if _UNSEEN.search(cell):
        notes.cells[name, "hold invisible characters; ids are read without them"] += 1


def _is_read_twice(cell: str) -> bool:
    """Whether the characters of a cell are bytes of UTF-8, each of which was taken for a letter."""
    if not _TWICE.search(cell):
        return False
    try:
        cell.encode("cp1252").decode()
    except UnicodeError:
        return False
    return True
