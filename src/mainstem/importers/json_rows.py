"""JSON lines, read strictly: one object a line. What lines hold differs, so columns are looked for in all of them."""

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
    r"""The rows of JSON lines of which at least one has each of the columns wanted.

    Args:
        lines: with their line breaks.
        path: for messages.
        wanted: the columns; `user.id` is the `id` of an object `user`.
        notes: where lines are counted that cannot be read.

    Raises:
        ImportSourceError: if a line is no object; or, at the end, if no line has a column.

    Example:
        >>> list(json_rows(['{"user":{"id":5}}\n', "\n", '{"sku":"A1"}\n'], Path("x"), Wanted(["user.id", "sku"]), Notes()))
        [{'user.id': 5, 'sku': None}, {'user.id': None, 'sku': 'A1'}]
    """
    seen: dict[str, None] = {}
    lacking, quoted = set(wanted.columns), [json.dumps(name) for name in wanted.tops]
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        if BAD.search(line):
            what = repr(bytes_of(line).rstrip(b"\r\n")[:120])
            notes.leave_out(
                f"line {number} of {str(path)!r}", "not in the encoding of the file", what
            )
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
    """A key that is there twice would hide one of its values."""
    names = [name for name, _ in json.loads(line, object_pairs_hook=list)]
    for name in wanted.tops:
        if names.count(name) > 1:
            msg = f"line {number} of {str(path)!r} has {names.count(name)} keys {name!r}; rename or remove all but one"
            raise ImportSourceError(msg)


def _has(row: dict[str, Any], name: str) -> bool:
    return name in row or part_of(row, name) is not None


def _object(line: str, number: int, path: Path) -> dict[str, Any]:
    try:
        return msgspec.json.decode(line, type=dict[str, Any])
    except RecursionError as error:
        msg = (
            f"line {number} of {str(path)!r} is nested too deeply to be an event; mend or remove it"
        )
        raise ImportSourceError(msg) from error
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        if _NO_NUMBER.search(line) and (found := _with_no_numbers(line)) is not None:
            return found
        msg = f"line {number} of {str(path)!r} is no JSON object ({error}); {_advice(line)}"
        raise ImportSourceError(msg) from error


def _with_no_numbers(line: str) -> dict[str, Any] | None:
    """As Python writes what is no number: NaN."""
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _advice(line: str) -> str:
    text = line.strip()
    try:
        _, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        spread = text == "{" or text.startswith(('"', "}", "]"))
        return (
            "an object must stand on one line: `jq -c . FILE > NEW` makes lines"
            if spread
            else "mend or remove it"
        )
    return (
        "one object a line: `jq -c . FILE > NEW` makes lines"
        if text[end:].startswith("{")
        else "mend or remove it"
    )
