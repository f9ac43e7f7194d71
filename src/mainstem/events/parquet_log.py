"""Event logs as Parquet: each row becomes the JSON line that it would be in a plain log.

There are two layouts. Either one column `value`, `raw` or `event` holds the JSON, as in a dump of a
topic; or each column is a field of events, `items` is a list of structs, and a null means that the
event lacks the field. Other columns are not read. Rows are read batch by batch, so memory does not
grow with the file.
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
    """Read the rows of a Parquet file as JSON lines, in order.

    Timestamps of any unit become milliseconds; a timestamp without a time zone is in UTC.

    Raises:
        LogError: if the file is broken or has neither layout, or pyarrow is not installed.
    """
    try:
        import pyarrow as pa  # only Parquet needs this extra
        from pyarrow import parquet
    except ImportError as error:
        msg = "reading Parquet needs pyarrow; `pip install 'mainstem[parquet]'`, or give JSON lines"
        raise LogError(msg) from error
    number = 0
    try:
        with parquet.ParquetFile(path) as file:
            column = _json_column(file.schema_arrow, path)
            fields = [name for name in file.schema_arrow.names if name in _FIELDS]
            for batch in file.iter_batches(_BATCH, columns=[column] if column else fields):
                for row in _with_millis(batch).to_pylist():
                    number += 1
                    yield _bytes_of(row[column]) if column else _line_of(row)
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        msg = f"{str(path)!r} is a broken Parquet file after row {number} ({reason}); copy it again"
        raise LogError(msg) from error


def _json_column(schema: Any, path: Path) -> str:
    """The column that holds whole events; empty if there is a column for each field."""
    missing = [name for name in _NEEDED if name not in schema.names]
    if not missing:
        _refuse_short_times(schema.field("event_timestamp").type, path)
        return ""
    for name in _JSON:
        if name in schema.names and _holds_text(schema.field(name).type):
            return name
    msg = (
        f"{str(path)!r} lacks the columns {missing}; it has {schema.names!r}. "
        "Name the columns like the fields of events (`mainstem schema`), "
        f"or give whole events as JSON in one column of text, `{'`, `'.join(_JSON)}`"
    )
    raise LogError(msg)


def _refuse_short_times(kind: Any, path: Path) -> None:
    from pyarrow import types

    if types.is_float32(kind) or types.is_float16(kind):
        msg = (
            f"{str(path)!r} has event_timestamp as floats of four bytes, which are minutes off; "
            "save whole numbers"
        )
        raise LogError(msg)


def _holds_text(kind: Any) -> bool:
    from pyarrow import types

    kind = kind.value_type if types.is_dictionary(kind) else kind
    text = types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)
    return bool(
        text or types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind)
    )


def _with_millis(batch: Any) -> Any:
    """A batch with its columns of times in milliseconds since 1970."""
    import pyarrow as pa

    for place, field in enumerate(batch.schema):
        if pa.types.is_timestamp(field.type) or pa.types.is_date(field.type):
            millis = pa.timestamp("ms", getattr(field.type, "tz", None))
            # fractions of a millisecond are cut off, which a safe cast would refuse
            finer = getattr(field.type, "unit", "s") in {"us", "ns"}
            times = batch.column(place).cast(millis, safe=not finer)
            batch = batch.set_column(place, field.name, times.cast(pa.int64()))
    return batch


def _bytes_of(value: str | bytes | None) -> bytes:
    if isinstance(value, str):
        value = value.encode("utf-8", "surrogateescape")
    return (value or b"").rstrip(b"\r\n")


def _line_of(row: dict[str, Any]) -> bytes:
    event = _plain(row)
    try:
        return _ENCODER.encode(event)
    except UnicodeEncodeError:
        # subtle: the bytes are passed on as they are, so that `decode` refuses this row alone
        return json.dumps(event, ensure_ascii=False, default=str).encode("utf-8", "surrogateescape")


def _plain(value: Any) -> Any:
    """A value without nulls in objects, and with bytes as text."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items() if part is not None}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if isinstance(value, float) and isinf(value):
        # subtle: a number would be written as null; text makes `decode` refuse it, as in JSON lines
        return str(value)
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value
