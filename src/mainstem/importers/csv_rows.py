"""A strict CSV reader: rows are as long as the header, quotes are closed, column names are unique.

A wrong number of fields or an open quote would shift everything after it, so it ends the import.
A row with a zero byte, or a byte outside the encoding, is left out alone and counted.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, Final

from mainstem.errors import ImportSourceError
from mainstem.importers.encodings import BAD, bytes_of
from mainstem.importers.names import header_of
from mainstem.importers.notes import Notes, excerpt
from mainstem.importers.rows import Row, Wanted

__all__ = ["Dialect", "csv_rows"]

_DELIMITERS: Final = ",\t;|"
# characters of a field; a quote that is never closed would turn the rest of the file into one field
_LONGEST: Final = 1 << 24
_SEPARATOR: Final = re.compile(r"\"?sep=(.)\"?\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Dialect:
    """How a CSV is written, where its header does not tell.

    Attributes:
        delimiter: character between fields; empty to find it in the header.
        quote: character around a field; empty if quotes have no meaning.
        escape: character before a quote within a field; empty if such quotes are doubled.
    """

    delimiter: str = ""
    quote: str = '"'
    escape: str = ""


@dataclass
class _Place:
    """The place of a row in the file: its number (0 is the header) and its first line."""

    path: Path
    number: int
    line: int = 1

    def __str__(self) -> str:
        return f"row {self.number} of {str(self.path)!r} (line {self.line})"


@dataclass
class _Lines:
    """An iterator that counts the lines read and keeps the lines of the current row."""

    lines: Iterator[str]
    read: int = 0
    kept: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[str]:
        for line in self.lines:
            self.read += 1
            self.kept.append(line)
            yield line


def csv_rows(
    lines: Iterable[str],
    path: Path,
    wanted: Wanted,
    notes: Notes,
    *,
    headless: Sequence[str] = (),
    dialect: Dialect | None = None,
) -> Iterator[Row]:
    r"""Read the rows of a CSV that has the wanted columns.

    Args:
        lines: the lines of the file with their line breaks, which may be of any kind.
        path: the file's name in messages.
        wanted: the columns to read.
        notes: where unreadable rows are counted.
        headless: names of the columns of a file that may lack a header.
        dialect: delimiter, quote and escape; None for the usual ones.

    Yields:
        One mapping per row, from the name of each column to the text of its cell.

    Raises:
        ImportSourceError: if a column is missing or appears twice, or the number of a row's fields
            differs from the header's.

    Example:
        >>> lines = ["sku;price\r\n", "A1;9,50\r\n"]
        >>> list(csv_rows(lines, Path("x"), Wanted(["sku"]), Notes()))
        [{'sku': 'A1', 'price': '9,50'}]
    """
    form = dialect or Dialect()
    csv.field_size_limit(_LONGEST)
    lines = iter(lines)
    first, skipped = next(lines, ""), 0
    if given := _SEPARATOR.fullmatch(first):
        form = Dialect(form.delimiter or given[1], form.quote, form.escape)
        first, skipped = next(lines, ""), 1
    while first and not first.strip():
        first, skipped = next(lines, ""), skipped + 1
    delimiter, found = _header(first, wanted, form)
    has_header = (
        not headless or len(found) != len(headless) or bool(set(found) & set(wanted.columns))
    )
    counted = _Lines(chain([first], lines), skipped)
    place = _Place(path, number=0 if has_header else 1)
    records = _records(counted, delimiter, form, place)
    names = [header_of(name) for name in next(records, [])] if has_header else list(headless)
    names = wanted.checked(names, path)
    options = _options(delimiter, form, strict=True)
    for record in records:
        fields = record
        if form.quote and any(_begins_late(cell, form.quote) for cell in record):
            fields = _quoted_late(record, counted.kept, len(names), options)
        yield from _row(fields, names, place, delimiter, notes, counted)


def _begins_late(cell: str, quote: str) -> bool:
    """Whether blanks come before the opening quote of a cell."""
    return cell.startswith(" ") and cell.lstrip(" ").startswith(quote)


def _header(first: str, wanted: Wanted, form: Dialect) -> tuple[str, list[str]]:
    """Find the delimiter and split the header by it.

    The delimiter that yields all wanted columns wins; if none does, the one that yields most
    fields.
    """
    signs = form.delimiter or _DELIMITERS
    found = {sign: [header_of(name) for name in _fields(first, sign, form)] for sign in signs}
    delimiter = max(signs, key=lambda sign: (not wanted.missing(found[sign]), len(found[sign])))
    return delimiter, found[delimiter]


def _fields(line: str, delimiter: str, form: Dialect) -> list[str]:
    try:
        return next(csv.reader([line], **_options(delimiter, form, strict=False)), [])
    except csv.Error:
        return []


def _options(delimiter: str, form: Dialect, *, strict: bool) -> dict[str, Any]:
    return {
        "delimiter": delimiter,
        "quotechar": form.quote or None,
        "quoting": csv.QUOTE_MINIMAL if form.quote else csv.QUOTE_NONE,
        "escapechar": form.escape or None,
        "strict": strict,
    }


def _records(lines: _Lines, delimiter: str, form: Dialect, place: _Place) -> Iterator[list[str]]:
    """Yield the fields of each row and move `place` to its start; blank lines are skipped."""
    reader = csv.reader(iter(lines), **_options(delimiter, form, strict=True))
    while True:
        lines.kept.clear()
        place.line = lines.read + 1
        try:
            record = next(reader, None)
        except csv.Error as error:
            raise _broken(error, place, form, len(lines.kept)) from error
        if record is None:
            return
        quoted = any('"' in line for line in lines.kept)
        if not record or (len(record) == 1 and not record[0].strip() and not quoted):
            continue
        yield record
        place.number += 1


def _broken(error: csv.Error, place: _Place, form: Dialect, lines: int) -> ImportSourceError:
    at = str(place) if place.number else f"the header of {str(place.path)!r}"
    reason = str(error)
    if "unexpected end" in reason or "larger than field limit" in reason:
        return ImportSourceError(
            f"a quote opened at {at} is never closed; close it, double it where it means inches, "
            "or set file.quote = '' in the map if quotes mean nothing in this file"
        )
    if "expected after" in reason and lines > 1:
        last = place.line + lines - 1
        return ImportSourceError(
            f"a quote opened at {at} is not closed before line {last}; "
            "close it where its field ends"
        )
    if "expected after" in reason:
        how = "" if form.escape else r", or set file.escape = '\\' in the map if quotes read \""
        return ImportSourceError(f"{at} has a quote within a quoted field; double it{how}")
    return ImportSourceError(f"{at} is not valid CSV ({reason}); mend it or save it again")


def _row(
    record: list[str],
    names: Sequence[str],
    place: _Place,
    delimiter: str,
    notes: Notes,
    lines: _Lines,
) -> Iterator[Row]:
    if any(BAD.search(cell) for cell in record):
        notes.leave_out(str(place), "not in the encoding of the file", _bytes_shown(lines.kept))
    elif any("\0" in cell for cell in record):
        notes.leave_out(str(place), "with a zero byte in it", _bytes_shown(lines.kept))
    elif len(record) != len(names):
        raise _uneven(record, names, place, delimiter)
    elif len(lines.kept) > 1 and (swallowed := _swallowed(record, len(names), delimiter)):
        reason = "with whole rows in one field: a quote was not closed"
        notes.leave_out(str(place), reason, swallowed)
    else:
        yield Row(zip(names, record, strict=True), number=place.number)


def _quoted_late(
    record: list[str], lines: list[str], width: int, options: dict[str, Any]
) -> list[str]:
    """Read a record again whose quotes come after blanks, and skip these blanks.

    Otherwise the quotes would be parts of the field, and a delimiter within them would split it.
    """
    try:
        found = next(csv.reader(lines, **options, skipinitialspace=True), [])
    except csv.Error:
        return record
    if len(found) != len(record):
        return found if len(found) == width else record
    return [
        new if old.startswith(" ") and new != old.lstrip(" ") else old
        for old, new in zip(record, found, strict=True)
    ]


def _uneven(
    record: list[str], names: Sequence[str], place: _Place, delimiter: str
) -> ImportSourceError:
    shown = [excerpt(cell) for cell in record[: len(names) + 5]]
    if len(record) > len(names):
        return ImportSourceError(
            f"{place} has more fields than the header's {len(names)}: {shown!r}; "
            f"a field with {delimiter!r} in it must be quoted"
        )
    return ImportSourceError(
        f"{place} has {len(record)} fields, fewer than the header's {len(names)}: {shown!r}; "
        "quote fields that hold line breaks, or copy the file again if it was cut off"
    )


def _swallowed(record: list[str], width: int, delimiter: str) -> str:
    """The field that holds whole rows because its quote is closed in a later row only; or empty."""
    for place, cell in enumerate(record):
        lines = [line for line in re.split(r"\r\n|\r|\n", cell) if line]
        if width < 3 or len(lines) < 2:
            continue
        first, *inner, last = (line.count(delimiter) + 1 for line in lines)
        if first == width - place and last == place + 1 and all(count == width for count in inner):
            return repr(excerpt(cell, 120))
    return ""


def _bytes_shown(lines: list[str]) -> str:
    raw = bytes_of("".join(lines)).rstrip(b"\r\n")
    at = next((place for place, byte in enumerate(raw) if byte > 127 or not byte), 0)
    return repr(raw[max(at - 60, 0) :][:120])
