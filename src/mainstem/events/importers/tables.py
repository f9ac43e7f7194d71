"""Tables on disk, row by row: CSV (any usual delimiter), JSON lines, Parquet; the first two also packed by gzip or zstd.

What a file is, its first bytes say, not its name. A CSV is read as UTF-8 where the whole file is that, else as Windows-1252,
which old exports have.
"""

import codecs
import csv
import io
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec

from mainstem.errors import ImportSourceError, LogError
from mainstem.events.forms import Form, form_of

__all__ = ["Row", "read_rows"]

Row: TypeAlias = Mapping[str, Any]

_DELIMITERS: Final = ",\t;|"
_UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_rows(
    path: Path, columns: Sequence[str], *, optional: Sequence[str] = (), headless: Sequence[str] = ()
) -> Iterator[Row]:
    r"""The rows of a table that has the columns named.

    Args:
        path: the file.
        columns: those that must be there. Rows may hold more than these.
        optional: those that are read where they are there.
        headless: names of the columns of a CSV without a header, where the source is also handed on like that.

    Raises:
        ImportSourceError: if the file is missing, broken, of another format, or lacks a column.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder) / "sales.csv"
        ...     _ = path.write_text("sku;price\nA1;9.50\n")
        ...     list(read_rows(path, ["sku"]))
        [{'sku': 'A1', 'price': '9.50'}]
    """
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        msg = f"cannot read {str(path)!r}: {os.strerror(error.errno or 0)}; check the path"
        raise ImportSourceError(msg) from error
    if magic == b"PAR1":
        return _parquet_rows(path, columns, optional)
    try:
        form = form_of(path)
    except LogError as error:
        raise ImportSourceError(str(error)) from error
    return _text_rows(path, form, columns, headless)


def _text_rows(path: Path, form: Form, columns: Sequence[str], headless: Sequence[str]) -> Iterator[Row]:
    done = 0
    try:
        with _opened(path, form, _encoding(path, form)) as file:
            first = file.readline()
            lines = chain([first], file)
            made = _json_rows(lines, path, columns) if first.startswith("{") else _csv_rows(lines, path, columns, headless)
            for row in made:
                done += 1
                yield row
    except (csv.Error, UnicodeDecodeError) as error:
        msg = f"{str(path)!r} is no CSV after row {done} ({error}); mend it or save it again"
        raise ImportSourceError(msg) from error
    except form.errors as error:
        msg = f"the {form.name} stream of {str(path)!r} breaks off after row {done} ({error}); copy it again"
        raise ImportSourceError(msg) from error


def _opened(path: Path, form: Form, encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(form.open(path), encoding=encoding, newline="")


def _encoding(path: Path, form: Form) -> str:
    with form.open(path) as raw:
        start = raw.read(4)
    if start.startswith(_UTF16):
        return "utf-16"
    if b"\0" in start or start.startswith(b"PK"):
        msg = f"{str(path)!r} is neither CSV, JSON lines nor Parquet; unpack it or save it as one of them"
        raise ImportSourceError(msg)
    try:
        with _opened(path, form, "utf-8-sig") as file:
            for _ in file:
                pass
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"


def _csv_rows(lines: Iterable[str], path: Path, columns: Sequence[str], headless: Sequence[str]) -> Iterator[Row]:
    lines = iter(lines)
    first = next(lines)
    delimiter, names = _header(first, columns)
    if headless and len(names) == len(headless) and not set(names) & set(columns):
        names, lines = list(headless), chain([first], lines)
    _check_columns(names, columns, path)
    for number, row in enumerate(csv.DictReader(lines, names, delimiter=delimiter), start=1):
        if None in row:
            msg = (
                f"row {number} of {str(path)!r} has more fields than the header's {len(names)}: {list(row.values())!r}; "
                f"a field with {delimiter!r} in it must be quoted"
            )
            raise ImportSourceError(msg)
        yield row


def _header(first: str, columns: Sequence[str]) -> tuple[str, list[str]]:
    """The delimiter that gives all the columns, else the one that gives most fields; and the fields."""
    found = {delimiter: [name.strip() for name in _fields(first, delimiter)] for delimiter in _DELIMITERS}
    delimiter = max(_DELIMITERS, key=lambda one: (set(columns) <= set(found[one]), len(found[one])))
    return delimiter, found[delimiter]


def _fields(line: str, delimiter: str) -> list[str]:
    return next(csv.reader([line], delimiter=delimiter), [])


def _json_rows(lines: Iterable[str], path: Path, columns: Sequence[str]) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = msgspec.json.decode(line, type=dict[str, Any])
        except msgspec.DecodeError as error:
            msg = f"line {number} of {str(path)!r} is no JSON object ({error}); mend or remove it"
            raise ImportSourceError(msg) from error
        if number == 1:
            _check_columns(list(row), columns, path)
        yield {**dict.fromkeys(columns), **row}  # JSON lines often leave out what is null


def _parquet_rows(path: Path, columns: Sequence[str], optional: Sequence[str]) -> Iterator[Row]:
    try:
        import pyarrow as pa  # noqa: PLC0415 - an extra: only Parquet needs it
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError as error:
        msg = "reading Parquet needs pyarrow; `pip install 'mainstem[parquet]'`, or give a CSV file"
        raise ImportSourceError(msg) from error
    try:
        with parquet.ParquetFile(path) as file:
            names = file.schema_arrow.names
            _check_columns(names, columns, path)
            for batch in file.iter_batches(columns=[*columns, *(name for name in optional if name in names)]):
                yield from _without_nanoseconds(batch).to_pylist()
    except (pa.ArrowException, OSError, ValueError) as error:
        msg = f"{str(path)!r} is a broken Parquet file ({error}); copy it again"
        raise ImportSourceError(msg) from error


def _without_nanoseconds(batch: Any) -> Any:
    """Times that Python can hold: pandas writes nanoseconds."""
    import pyarrow as pa  # noqa: PLC0415

    for place, field in enumerate(batch.schema):
        if pa.types.is_timestamp(field.type) and field.type.unit == "ns":
            times = batch.column(place).cast(pa.timestamp("us", field.type.tz), safe=False)
            batch = batch.set_column(place, field.name, times)
    return batch


def _check_columns(names: Sequence[str], columns: Sequence[str], path: Path) -> None:
    missing = [name for name in columns if name not in names]
    if missing:
        msg = f"{str(path)!r} lacks the columns {missing}; it has {list(names)!r}"
        raise ImportSourceError(msg)
