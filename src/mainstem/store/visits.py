"""Visits as a scoring worker reads them back, to make its rows again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mainstem.join import PARTS, Facts
from mainstem.store.store import Store

__all__ = ["StoredVisits", "stored_visits"]

_CHUNK: Final = 16_384  # visits in memory at once
_THESE: Final = """
    WHERE partition = {partition:UInt32} AND offset < {end:UInt64} AND version = {version:UInt32}
      AND toUnixTimestamp64Milli(event_time) >= {left:Int64}"""
_SQL: Final = f"""
    SELECT UUIDStringToNum(toString(r.sample_id)), r.label_version, r.partition, r.offset,
           toUnixTimestamp64Milli(r.event_time), r.label, r.part, r.scale, r.norm, r.margin, r.loss,
           ifNull(r.alignment, nan), s.sketch
    FROM (SELECT * FROM responses FINAL {_THESE}) AS r
    LEFT JOIN (
        SELECT sample_id, label_version, sketch FROM sketches FINAL {_THESE} AND length(sketch) = {{sketch:UInt32}}) AS s
        ON r.sample_id = s.sample_id AND r.label_version = s.label_version
    ORDER BY r.offset"""


@dataclass(frozen=True)
class StoredVisits:
    """B visits by one version, all at one scale.

    Attributes:
        keys: sample ids, 16 bytes each.
        facts: of the samples, each of shape (B,).
        scale: that their norms and sketches are divided by.
        norm, margin, loss, alignment: shape (B,); an alignment is NaN where there is none.
        sketch: shape (B, k); a row of NaN where there is none, or one of another length.
    """

    keys: Sequence[bytes]
    facts: Facts[NDArray[np.int64]]
    scale: float
    norm: NDArray[np.float64]
    margin: NDArray[np.float64]
    loss: NDArray[np.float64]
    alignment: NDArray[np.float64]
    sketch: NDArray[np.float32]


def stored_visits(
    store: Store, partition: int, end: int, version: int, *, left: int = 0, sketch: int = 0
) -> Iterator[StoredVisits]:
    """Visits by one version in the order of their offsets, some thousands at a time.

    Args:
        store: the history.
        partition, end: samples at offsets below `end` of this partition.
        version: that scored them.
        left: event time, in milliseconds, before which samples are left out.
        sketch: k, the floats of a sketch.
    """
    rows = store.stream(
        _SQL, partition=partition, end=end, version=version, left=left, sketch=sketch
    )
    while chunk := list(islice(rows, _CHUNK)):
        yield _visits(chunk, sketch)


def _visits(rows: Sequence[tuple[Any, ...]], size: int) -> StoredVisits:
    keys, *facts, part, scale, norm, margin, loss, alignment, sketches = zip(*rows, strict=True)
    sketch = np.full((len(rows), size), np.nan, np.float32)
    for place, one in enumerate(sketches):
        if one:
            sketch[place] = one
    return StoredVisits(
        keys=keys,
        facts=Facts(
            *[np.array(values, np.int64) for values in (*facts, [PARTS.index(one) for one in part])]
        ),
        scale=scale[0],
        norm=np.array(norm, np.float64),
        margin=np.array(margin, np.float64),
        loss=np.array(loss, np.float64),
        alignment=np.array(alignment, np.float64),
        sketch=sketch,
    )
