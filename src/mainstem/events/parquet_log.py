"""Event logs as Parquet: each row becomes the JSON line that it would be in a plain log.

Two layouts. One column `value`, `raw` or `event` holds the JSON, as a dump of a topic has it; or the columns are named as
the fields of events are, `items` a list of structs, and a null is a field that the event has not. Other columns are not
read. Rows are read batch by batch, so memory does not grow with the file.
"""

import json
from collections.abc import Iterator
from math import isinf
from pathlib import Path
from typing import Any, Final, get_args

import msgspec

from mainstem.errors import LogError
from mainstem.events.vocabulary import Event

__all__ = ["parquet_lines"]

_JSON: Final = ("value", "raw", "event")
_NEEDED: Final = ("type", "event_id", "event_timestamp")
_FIELDS: Final = frozenset({"type"}.union(*(kind.__struct_fields__ for kind in get_args(Event))))
_BATCH: Final = 4096  # rows that are in memory together
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number", enc_hook=str)


def parquet_lines(path: Path) -> Iterator[bytes]:
    """The rows of a Parquet file as JSON lines, in order.

    Timestamps of any unit become milliseconds; one without a time zone is UTC.

    Raises:
        LogError: if the file is broken, or has neither layout; or if pyarrow is missing.
    """
    try:
        import pyarrow as pa  # an extra: only Parquet needs it
        from pyarrow import parquet
    except ImportError as error:
        msg = "reading Parquet needs pyarrow; `pip install 'mainstem[parquet]'`, or give JSON lines"
        raise LogError(msg) from error
    number = 0
    try:
        with parquet.ParquetFile(path) as file:
            column = _json_column(file.schema_arrow, path)
            columns = (
                [column]
                if column
                else [name for name in file.schema_arrow.names if name in _FIELDS]
            )
            for batch in file.iter_batches(_BATCH, columns=columns):
                for row in _with_millis(batch).to_pylist():
                    number += 1
                    yield _bytes_of(row[column]) if column else _line_of(row)
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        msg = f"{str(path)!r} is a broken Parquet file after row {number} ({reason}); copy it again"
        raise LogError(msg) from error


def _json_column(schema: Any, path: Path) -> str:
    """The column that holds whole events; empty where there is a column for each field."""
    missing = [name for name in _NEEDED if name not in schema.names]
    if not missing:
        _refuse_short_times(schema.field("event_timestamp").type, path)
        return ""
    for name in _JSON:
        if name in schema.names and _holds_text(schema.field(name).type):
            return name
    msg = (
        f"{str(path)!r} lacks the columns {missing}; it has {schema.names!r}. Name them as the fields of events "
        f"(`mainstem schema`), or give whole events as JSON in one column of text, `{'`, `'.join(_JSON)}`"
    )
    raise LogError(msg)


def _refuse_short_times(kind: Any, path: Path) -> None:
    from pyarrow import types

    if types.is_float32(kind) or types.is_float16(kind):
        msg = f"{str(path)!r} has its event_timestamp as floats of four bytes, which are minutes off; save whole numbers"
        raise LogError(msg)


def _holds_text(kind: Any) -> bool:
    from pyarrow import types

    kind = kind.value_type if types.is_dictionary(kind) else kind
    text = types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)
    return bool(
        text or types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind)
    )


def _with_millis(batch: Any) -> Any:
    """A batch whose columns of times are milliseconds since 1970."""
    import pyarrow as pa

    for place, field in enumerate(batch.schema):
        if pa.types.is_timestamp(field.type) or pa.types.is_date(field.type):
            finer = getattr(field.type, "unit", "s") in {
                "us",
                "ns",
            }  # what lies below a millisecond is cut off
            times = batch.column(place).cast(
                pa.timestamp("ms", getattr(field.type, "tz", None)), safe=not finer
            )
            batch = batch.set_column(place, field.name, times.cast(pa.int64()))
    return batch


def _bytes_of(value: str | bytes | None) -> bytes:
    return (
        value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value or b""
    ).rstrip(b"\r\n")


def _line_of(row: dict[str, Any]) -> bytes:
    event = _plain(row)
    try:
        return _ENCODER.encode(event)
    except (
        UnicodeEncodeError
    ):  # subtle: `decode` shall refuse this one row, so its bytes are handed on as they are
        return json.dumps(event, ensure_ascii=False, default=str).encode("utf-8", "surrogateescape")


def _plain(value: Any) -> Any:
    """Without nulls in objects; text where a column of text was written as bytes."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items() if part is not None}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if isinstance(value, float) and isinf(value):
        return str(
            value
        )  # subtle: it would be written as null; so `decode` refuses it, as it does in JSON lines
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value
