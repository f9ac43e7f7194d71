"""Helpers for tests of logs: zstd, and a small log in every form that a log may have."""

import gzip
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

__all__ = ["FORMS", "pack", "write_fields", "zstd"]

FORMS = ("plain", "gzip", "zstd", "parquet of JSON", "parquet of fields", "folder")


def pack(lines: Sequence[bytes], form: str, folder: Path) -> Path:
    """Write lines, which end in line breaks, in one of `FORMS`."""
    path = folder / "log"
    if form == "folder":
        path.mkdir()
        third = len(lines) // 3
        for part, each in enumerate(("parquet of fields", "zstd", "plain")):
            of_part = lines[part * third : (part + 1) * third if part < 2 else None]
            (folder / each).mkdir()
            pack(of_part, each, folder / each).rename(path / f"part-{part}")
    elif form == "parquet of JSON":
        parquet.write_table(
            pa.table({"offset": range(len(lines)), "value": [line.strip() for line in lines]}), path
        )
    elif form == "parquet of fields":
        write_fields([json.loads(line) for line in lines], path)
    else:
        packed = {"plain": bytes, "gzip": gzip.compress, "zstd": zstd.compress}[form]
        path.write_bytes(packed(b"".join(lines)))
    return path


def write_fields(
    events: Sequence[dict], path: Path, unit: str = "us", zone: str | None = "UTC", **more: object
) -> None:
    """Write events as Parquet with a column for each field and times as timestamps of a unit."""
    names = sorted({name for event in events for name in event})
    columns = {name: pa.array([event.get(name) for event in events]) for name in names}
    columns["event_timestamp"] = (
        columns["event_timestamp"].cast(pa.timestamp("ms", zone)).cast(pa.timestamp(unit, zone))
    )
    parquet.write_table(pa.table(columns), path, row_group_size=200, **more)
