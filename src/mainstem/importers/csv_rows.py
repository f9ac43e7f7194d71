"""CSV, read strictly: a row has as many fields as the header, each quote is closed, and a column is called once.

A wrong number of fields or an open quote would shift what follows, so it ends the import. A row with a byte that is none of
the encoding, or a zero byte, costs itself only.
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
_LONGEST: Final = (
    1 << 24
)  # characters of a field; a quote that is never closed makes one of the rest of the file
_SEPARATOR: Final = re.compile(r"\"?sep=(.)\"?\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Dialect:
    """How a CSV is written, where its header does not tell; empty is what is usual."""

    delimiter: str = ""
    quote: str = '"'
    escape: str = ""


@dataclass
class _Place:
    """Where a row lies: its number (the header's is 0), and its first line."""

    path: Path
    number: int
    line: int = 1

    def __str__(self) -> str:
        return f"row {self.number} of {str(self.path)!r} (line {self.line})"


@dataclass
class _Lines:
    """Lines that are counted, and kept while they make one row."""

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
    r"""The rows of a CSV that has the columns wanted.

    Args:
        lines: with their line breaks, of any kind.
        path: for messages.
        wanted: the columns.
        notes: where rows are counted that cannot be read.
        headless: names of the columns where the first line is a row.
        dialect: delimiter, quote and escape.

    Raises:
        ImportSourceError: if a column is missing or there twice, or a row has not the header's number of fields.

    Example:
        >>> made = csv_rows(["sku;price\r\n", "A1;9,50\r\n"], Path("x"), Wanted(["sku"]), Notes())
        >>> list(made)
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
    counted, place = (
        _Lines(chain([first], lines), skipped),
        _Place(path, number=0 if has_header else 1),
    )
    records = _records(counted, delimiter, form, place)
    names = [header_of(name) for name in next(records, [])] if has_header else list(headless)
    names = wanted.checked(names, path)
    for record in records:
        if form.quote and any(
            cell.startswith(" ") and cell.lstrip(" ").startswith(form.quote) for cell in record
        ):
            record = _quoted_late(  # noqa: PLW2901
                record, counted.kept, len(names), _options(delimiter, form, strict=True)
            )
        yield from _row(record, names, place, delimiter, notes, counted)


def _header(first: str, wanted: Wanted, form: Dialect) -> tuple[str, list[str]]:
    """The delimiter that gives all the columns, else the one that gives most fields; and the fields."""
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
    """Fields of each row; the place is where the row begins. Blank lines are none."""
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
        if not record or (
            len(record) == 1
            and not record[0].strip()
            and not any('"' in line for line in lines.kept)
        ):
            continue
        yield record
        place.number += 1


def _broken(error: csv.Error, place: _Place, form: Dialect, lines: int) -> ImportSourceError:
    at = (
        _Place(place.path, place.number, place.line)
        if place.number
        else f"the header of {str(place.path)!r}"
    )
    reason = str(error)
    if "unexpected end" in reason or "larger than field limit" in reason:
        return ImportSourceError(
            f"a quote opened at {at} is never closed; close it, double it where it "
            "means inches, or say file.quote = '' in the map where it means nothing"
        )
    if "expected after" in reason and lines > 1:
        return ImportSourceError(
            f"a quote opened at {at} is closed within line {place.line + lines - 1} only; close it where its field ends"
        )
    if "expected after" in reason:
        how = (
            ""
            if form.escape
            else r", or say file.escape = '\\' in the map where quotes are written \""
        )
        return ImportSourceError(f"{at} has a quote within a quoted field; double it{how}")
    return ImportSourceError(f"{at} is no CSV ({reason}); mend it or save it again")


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
        notes.leave_out(
            str(place), "with whole rows in one field: a quote was not closed", swallowed
        )
    else:
        yield Row(zip(names, record, strict=True), number=place.number)


def _quoted_late(
    record: list[str], lines: list[str], width: int, options: dict[str, Any]
) -> list[str]:
    """The record, where quotes come after blanks: else they, and each delimiter within them, would be parts of a field."""
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
        f"{place} has fewer fields than the header's {len(names)}, {len(record)}: {shown!r}; a field with a line break "
        f"in it must be quoted, and a file that was cut off copied again"
    )


def _swallowed(record: list[str], width: int, delimiter: str) -> str:
    """The field that holds whole rows, because a quote that was opened closed only in a later one."""
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
