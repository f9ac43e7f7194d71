"""Read visits back, so that a scoring worker can rebuild its rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mainstem.join import PARTS, Facts
from mainstem.store.store import Store

__all__ = ["CanaryLogits", "StoredVisits", "canary_logits", "newest_logits", "stored_visits"]

_CHUNK: Final = 16_384  # visits in memory at once
_THESE: Final = """
    WHERE partition = {partition:UInt32} AND offset < {end:UInt64} AND version = {version:UInt32}
      AND toUnixTimestamp64Milli(event_time) >= {left:Int64}"""
_SQL: Final = f"""
    SELECT UUIDStringToNum(toString(r.sample_id)), r.label_version, r.partition, r.offset,
           toUnixTimestamp64Milli(r.event_time), r.label, r.part, r.answer_code, r.scale, r.norm,
           r.margin, r.loss, ifNull(r.alignment, nan), r.given, r.logits, s.sketch
    FROM (SELECT * FROM responses FINAL {_THESE}) AS r
    LEFT JOIN (
        SELECT sample_id, label_version, sketch FROM sketches FINAL
        {_THESE} AND length(sketch) = {{sketch:UInt32}}) AS s
        ON r.sample_id = s.sample_id AND r.label_version = s.label_version
    ORDER BY r.offset"""
_WITH_LOGITS: Final = """
    WHERE partition = {partition:UInt32} AND offset < {end:UInt64}
      AND length(logits) = {classes:UInt16}"""
_NEWEST_LOGITS: Final = f"""
    SELECT UUIDStringToNum(toString(sample_id)), version, logits FROM responses
    {_WITH_LOGITS} AND version <= {{version:UInt32}}
    ORDER BY sample_id, version DESC, label_version DESC LIMIT 1 BY sample_id"""
_CANARY_LOGITS: Final = f"""
    SELECT version, UUIDStringToNum(toString(sample_id)), logits FROM responses
    {_WITH_LOGITS} AND part = 'canary' AND version IN {{versions:Array(UInt32)}}
    ORDER BY version, sample_id, label_version DESC LIMIT 1 BY version, sample_id"""


class CanaryLogits(NamedTuple):
    """The logits of M canaries under one version.

    Attributes:
        keys: ids of the canaries, 16 bytes each, shape (M,).
        logits: their logits, shape (M, C).
    """

    keys: NDArray[np.bytes_]
    logits: NDArray[np.float64]


@dataclass(frozen=True)
class StoredVisits:
    """B visits by one version, all with one scale.

    Attributes:
        keys: ids of the samples, 16 bytes each.
        facts: facts of the samples, each of shape (B,).
        scale: mean response norm of the canaries under the version; norms and sketches are divided
            by it.
        norm, margin, loss, alignment: figures of the responses, shape (B,); an alignment is NaN
            where there is none.
        sketch: sketches of the responses, shape (B, k); a row of NaN where there is no sketch of
            length k.
        logits: logits of the responses, shape (B, C); a row of NaN where a response has none, and
            C is 0 where none has any.
        given: label that the log gave to a confirmed sample, shape (B,); -1 for other samples.
    """

    keys: Sequence[bytes]
    facts: Facts[NDArray[np.int64]]
    scale: float
    norm: NDArray[np.float64]
    margin: NDArray[np.float64]
    loss: NDArray[np.float64]
    alignment: NDArray[np.float64]
    sketch: NDArray[np.float32]
    logits: NDArray[np.float32]
    given: NDArray[np.int64]


def stored_visits(
    store: Store, partition: int, end: int, version: int, *, left: int = 0, sketch: int = 0
) -> Iterator[StoredVisits]:
    """Read the visits by one version, ordered by offset.

    Args:
        store: the history.
        partition: partition of the samples.
        end: offset up to which (exclusive) samples count.
        version: version that scored them.
        left: event time in milliseconds; samples before it are left out.
        sketch: length k of a sketch.

    Yields:
        Visits in chunks of some thousand.
    """
    rows = store.stream(
        _SQL, partition=partition, end=end, version=version, left=left, sketch=sketch
    )
    while chunk := list(islice(rows, _CHUNK)):
        yield _visits(chunk, sketch)


def newest_logits(
    store: Store, partition: int, end: int, version: int, classes: int
) -> Iterator[tuple[bytes, int, Sequence[float]]]:
    """The logits of the newest visit of each sample of a partition.

    Args:
        store: the history.
        partition: partition of the samples.
        end: position up to which (exclusive) samples count.
        version: number of the last version whose visits count.
        classes: number of logits of a visit; visits with another number are left out.

    Yields:
        The id of a sample, 16 bytes, the version of the visit, and its logits.
    """
    return store.stream(
        _NEWEST_LOGITS, partition=partition, end=end, version=version, classes=classes
    )


def canary_logits(
    store: Store, partition: int, end: int, versions: Sequence[int], classes: int
) -> dict[int, CanaryLogits]:
    """The logits of the canaries of a partition under some versions, by version.

    Args:
        store: the history.
        partition: partition of the canaries.
        end: position up to which (exclusive) samples count.
        versions: numbers of the versions.
        classes: number C of logits of a visit.

    Returns:
        The logits under each version that scored a canary.
    """
    rows = store.stream(
        _CANARY_LOGITS, partition=partition, end=end, versions=list(versions), classes=classes
    )
    found: dict[int, list[tuple[bytes, Sequence[float]]]] = {}
    for version, key, logits in rows:
        found.setdefault(version, []).append((key, logits))
    return {
        version: CanaryLogits(
            np.array([key for key, _ in its], "S16"),
            np.array([logits for _, logits in its], np.float64),
        )
        for version, its in found.items()
    }


def _visits(rows: Sequence[tuple[Any, ...]], size: int) -> StoredVisits:
    keys, *facts, part, code, scale, norm, margin, loss, alignment, given, logits, sketches = zip(
        *rows, strict=True
    )
    return StoredVisits(
        keys=keys,
        facts=Facts(
            *[
                np.array(values, np.int64)
                for values in (*facts, [PARTS.index(one) for one in part], code)
            ]
        ),
        scale=scale[0],
        norm=np.array(norm, np.float64),
        margin=np.array(margin, np.float64),
        loss=np.array(loss, np.float64),
        alignment=np.array(alignment, np.float64),
        sketch=_matrix(sketches, size),
        logits=_matrix(logits, max(map(len, logits))),
        given=np.array(given, np.int64),
    )


def _matrix(rows: Sequence[Sequence[float]], width: int) -> NDArray[np.float32]:
    """The rows, side by side; a row of NaN for an empty one."""
    found = np.full((len(rows), width), np.nan, np.float32)
    for place, row in enumerate(rows):
        if row:
            found[place] = row
    return found
