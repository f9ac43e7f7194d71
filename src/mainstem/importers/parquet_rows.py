"""Reads Parquet row by row, text that was written as bytes and times of any unit included."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from mainstem.errors import ImportSourceError
from mainstem.importers.encodings import HANDLER
from mainstem.importers.names import Half, Single
from mainstem.importers.rows import Row, Wanted, part_of

__all__ = ["FarTime", "parquet_rows"]

_BATCH: Final = 4096  # rows that are in memory together
_MICROS: Final = {"s": 1_000_000, "ms": 1000, "us": 1}
# microseconds since 1970 that a datetime can hold
_FIRST: Final = -62_000_000_000_000_000
_LAST: Final = 253_000_000_000_000_000


class FarTime(str):
    """The text of a time that is too far away for a datetime."""

    __slots__ = ()


def parquet_rows(path: Path, wanted: Wanted) -> Iterator[Row]:
    """Read the rows of a Parquet file that has the wanted columns; other columns are not read.

    Raises:
        ImportSourceError: if the file is broken or lacks a column, or pyarrow is not installed.
    """
    try:
        import pyarrow as pa  # only Parquet needs this extra
        from pyarrow import parquet
    except ImportError as error:
        msg = "reading Parquet needs pyarrow; `pip install 'mainstem[parquet]'`, or give a CSV file"
        raise ImportSourceError(msg) from error
    number = 0
    try:
        with parquet.ParquetFile(path) as file:
            names = file.schema_arrow.names
            kinds = dict(zip(names, file.schema_arrow.types, strict=True))
            parts = {name: top for name in wanted.all if (top := _column_of(name, kinds))}
            found = wanted.checked([*names, *(name for name in parts if name not in names)], path)
            renamed = dict(zip(names, found, strict=False))
            tops = [
                top for top, name in renamed.items() if name in wanted.all or top in parts.values()
            ]
            for batch in file.iter_batches(_BATCH, columns=tops):
                columns = {
                    renamed[name]: _values(batch.column(name)) for name in batch.schema.names
                }
                empty = [()] * batch.num_rows
                for cells in zip(*columns.values(), strict=True) if columns else empty:
                    number += 1
                    row = dict(zip(columns, cells, strict=True))
                    there = (name for name in wanted.all if name in row or name in parts)
                    yield Row({name: part_of(row, name) for name in there}, number=number)
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        msg = f"{str(path)!r} is a broken Parquet file after row {number} ({reason}); copy it again"
        raise ImportSourceError(msg) from error


def _column_of(name: str, kinds: dict[str, Any]) -> str:
    """The column of which a dotted name is a part; empty if it is a column itself or unknown."""
    from pyarrow import types

    top, *steps = name.split(".")
    if name in kinds or not steps or top not in kinds:
        return ""
    kind = kinds[top]
    for step in steps:
        if types.is_struct(kind) and kind.get_field_index(step) >= 0:
            kind = kind.field(step).type
        elif (types.is_list(kind) or types.is_large_list(kind)) and step.isdecimal():
            kind = kind.value_type
        else:
            return ""
    return top


def _values(column: Any) -> Sequence[Any]:
    """The values of a column; a value that Python lacks becomes a `FarTime` or a marked text."""
    import pyarrow as pa
    from pyarrow import types

    kind = column.type
    if types.is_dictionary(kind):
        return _values(column.cast(kind.value_type))
    if types.is_timestamp(kind):
        return _moments(column)
    if types.is_float16(kind) or types.is_float32(kind):
        of = Half if types.is_float16(kind) else Single
        return [
            None if value is None else of(value) for value in column.cast(pa.float32()).to_pylist()
        ]
    try:
        values: list[Any] = column.to_pylist()
    except (OverflowError, ValueError, UnicodeDecodeError):
        values = [_value(one) for one in column]
    return values


def _moments(column: Any) -> list[datetime | FarTime | None]:
    import pyarrow as pa

    unit, zone = column.type.unit, column.type.tz
    counts = column.cast(pa.int64()).to_pylist()
    micros = [
        None if one is None else one // 1000 if unit == "ns" else one * _MICROS[unit]
        for one in counts
    ]
    near = [one if one is not None and _FIRST < one < _LAST else None for one in micros]
    moments = pa.array(near, pa.timestamp("us", zone)).to_pylist()
    return [
        moment if moment is not None or count is None else FarTime(f"{count} {unit} since 1970")
        for moment, count in zip(moments, counts, strict=True)
    ]


def _value(scalar: Any) -> Any:
    try:
        return scalar.as_py()
    except UnicodeDecodeError:
        return scalar.as_buffer().to_pybytes().decode("utf-8", HANDLER)
    except (OverflowError, ValueError):
        return FarTime(f"{scalar.value} as {scalar.type}")
