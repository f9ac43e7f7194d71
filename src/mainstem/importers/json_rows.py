"""A strict reader of JSON lines, one object per line.

Lines may have different keys, so a column counts as missing only if no line of the file has it.
"""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from mainstem.errors import ImportSourceError
from mainstem.importers.encodings import BAD, bytes_of
from mainstem.importers.notes import Notes
from mainstem.importers.rows import Row, Wanted, part_of

__all__ = ["json_rows"]

_NO_NUMBER: Final = re.compile(r"\bNaN\b|\bInfinity\b")


def json_rows(lines: Iterable[str], path: Path, wanted: Wanted, notes: Notes) -> Iterator[Row]:
    r"""Read the rows of JSON lines that have the wanted columns.

    Args:
        lines: the lines of the file with their line breaks.
        path: the file's name in messages.
        wanted: the columns to read; `user.id` means the `id` of an object `user`.
        notes: where unreadable lines are counted.

    Yields:
        One mapping per line, from the name of each column to its value; None where the line lacks
        it.

    Raises:
        ImportSourceError: if a line is not an object, or, at the end, if no line has a wanted
            column.

    Example:
        >>> lines = ['{"user":{"id":5}}\n', "\n", '{"sku":"A1"}\n']
        >>> list(json_rows(lines, Path("x"), Wanted(["user.id", "sku"]), Notes()))
        [{'user.id': 5, 'sku': None}, {'user.id': None, 'sku': 'A1'}]
    """
    seen: dict[str, None] = {}
    lacking, quoted = set(wanted.columns), [json.dumps(name) for name in wanted.tops]
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        if BAD.search(line):
            place, what = f"line {number} of {str(path)!r}", bytes_of(line).rstrip(b"\r\n")[:120]
            notes.leave_out(place, "not in the encoding of the file", repr(what))
            continue
        found = _object(line, number, path)
        if any(line.count(name) > 1 for name in quoted):
            _refuse_twice(line, number, path, wanted)
        if not seen.keys() >= found.keys() and len(seen) < 1000:
            seen.update(dict.fromkeys(found))
        renamed = dict(zip(wanted.renamed(list(found)), found.values(), strict=True))
        cells = {name: part_of(renamed, name) for name in wanted.all}
        lacking = {name for name in lacking if not _has(renamed, name)}
        yield Row(cells, number=number)
    if lacking:
        missing = [name for name in wanted.columns if name in lacking]
        msg = f"{str(path)!r} lacks the columns {missing}; it has {list(seen)[:50]!r}"
        raise ImportSourceError(msg)


def _refuse_twice(line: str, number: int, path: Path, wanted: Wanted) -> None:
    """Refuse a line that has a key twice, because one of its values would be lost."""
    names = [name for name, _ in json.loads(line, object_pairs_hook=list)]
    for name in wanted.tops:
        if (times := names.count(name)) > 1:
            place = f"line {number} of {str(path)!r}"
            msg = f"{place} has {times} keys {name!r}; rename or remove all but one"
            raise ImportSourceError(msg)


def _has(row: dict[str, Any], name: str) -> bool:
    return name in row or part_of(row, name) is not None


def _object(line: str, number: int, path: Path) -> dict[str, Any]:
    place = f"line {number} of {str(path)!r}"
    try:
        return msgspec.json.decode(line, type=dict[str, Any])
    except RecursionError as error:
        msg = f"{place} is nested too deeply to be an event; mend or remove it"
        raise ImportSourceError(msg) from error
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        if _NO_NUMBER.search(line) and (found := _with_nan(line)) is not None:
            return found
        msg = f"{place} is not a JSON object ({error}); {_advice(line)}"
        raise ImportSourceError(msg) from error


def _with_nan(line: str) -> dict[str, Any] | None:
    """The object of a line with NaN or Infinity, which Python writes though JSON has neither."""
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _advice(line: str) -> str:
    text, advice = line.strip(), "mend or remove it"
    try:
        _, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        if text == "{" or text.startswith(('"', "}", "]")):
            advice = "an object must stand on one line: `jq -c . FILE > NEW` makes lines"
        return advice
    if text[end:].startswith("{"):
        advice = "write one object per line: `jq -c . FILE > NEW` makes lines"
    return advice
