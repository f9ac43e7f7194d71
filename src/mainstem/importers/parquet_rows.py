"""Parquet, row by row, with values that Python can hold: text that was written as bytes, times of any unit."""

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
_FIRST, _LAST = (
    -62_000_000_000_000_000,
    253_000_000_000_000_000,
)  # microseconds since 1970 that Python can hold


class FarTime(str):
    """A time that is so far away that Python has none for it."""

    __slots__ = ()


def parquet_rows(path: Path, wanted: Wanted) -> Iterator[Row]:
    """The rows of a Parquet file that has the columns wanted, without its other columns.

    Raises:
        ImportSourceError: if it is broken, or lacks a column; or if pyarrow is missing.
    """
    try:
        import pyarrow as pa  # an extra: only Parquet needs it
        from pyarrow import parquet
    except ImportError as error:
        msg = "reading Parquet needs pyarrow; `pip install 'mainstem[parquet]'`, or give a CSV file"
        raise ImportSourceError(msg) from error
    number = 0
    try:
        with parquet.ParquetFile(path) as file:
            names, kinds = (
                file.schema_arrow.names,
                dict(zip(file.schema_arrow.names, file.schema_arrow.types, strict=True)),
            )
            parts = {name: top for name in wanted.all if (top := _column_of(name, kinds))}
            found = wanted.checked([*names, *(name for name in parts if name not in names)], path)
            tops = [
                top
                for top, name in zip(names, found, strict=False)
                if name in wanted.all or top in parts.values()
            ]
            renamed = dict(zip(names, found, strict=False))
            for batch in file.iter_batches(_BATCH, columns=tops):
                columns = {
                    renamed[name]: _values(batch.column(name)) for name in batch.schema.names
                }
                for cells in (
                    zip(*columns.values(), strict=True) if columns else [()] * batch.num_rows
                ):
                    number += 1
                    row = dict(zip(columns, cells, strict=True))
                    yield Row(
                        {name: part_of(row, name) for name in _there(wanted, row, parts)},
                        number=number,
                    )
    except (pa.ArrowException, OSError, ValueError) as error:
        msg = f"{str(path)!r} is a broken Parquet file after row {number} ({' '.join(str(error).split())}); copy it again"
        raise ImportSourceError(msg) from error


def _there(wanted: Wanted, row: dict[str, Any], parts: dict[str, str]) -> list[str]:
    return [name for name in wanted.all if name in row or name in parts]


def _column_of(name: str, kinds: dict[str, Any]) -> str:
    """The column of which a dotted name is a part; empty where it is none."""
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
    """The values of a column; those that Python has not are told apart, each for itself."""
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
