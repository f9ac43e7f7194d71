"""What a round may draw from: the columns of all partitions, from memory or read back out of the history."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from mainstem.importance import Rows
from mainstem.standing import STANDINGS
from mainstem.store import Store

__all__ = ["RowsPool", "StoredPool"]

_DTYPES: Final[dict[str, Any]] = {
    "key_high": np.uint64,
    "key_low": np.uint64,
    "label_version": np.uint32,
    "partition": np.uint32,
    "offset": np.int64,
    "event_time": np.int64,
    "importance": np.float64,
    "standing": np.int8,
}
_CHUNK: Final = 65_536


class RowsPool:
    """The columns of several partitions, one after the other."""

    def __init__(self, parts: Sequence[Rows]) -> None:
        self._parts = parts

    def __getitem__(self, name: str, /) -> NDArray[Any]:
        """A column, shape (N,)."""
        return np.concatenate([part[name] for part in self._parts])

    def id_of(self, row: int) -> UUID:
        """The sample id in a row."""
        for part in self._parts:
            if row < len(part):
                return part.id_of(row)
            row -= len(part)
        raise IndexError(row)


class StoredPool:
    """The same out of the history, streamed: about 50 bytes a sample.

    Importance is the running mean over the visits of a sample at its newest answer, as the scoring workers have it.

    Args:
        store: the history.
    """

    def __init__(self, store: Store) -> None:
        chunks: dict[str, list[NDArray[Any]]] = {name: [np.zeros(0, dtype)] for name, dtype in _DTYPES.items()}
        rows: list[tuple[Any, ...]] = []
        for row in store.stream(_SQL):
            rows.append(row)
            if len(rows) == _CHUNK:
                _add(chunks, rows)
                rows = []
        _add(chunks, rows)
        self._arrays = {name: np.concatenate(parts) for name, parts in chunks.items()}

    def __getitem__(self, name: str, /) -> NDArray[Any]:
        """A column, shape (N,)."""
        return self._arrays[name]

    def id_of(self, row: int) -> UUID:
        """The sample id in a row."""
        return UUID(int=(int(self._arrays["key_high"][row]) << 64) | int(self._arrays["key_low"][row]))


# of each sample: the visits since its answer last changed, and of two by one version (the label was revised to the same
# answer in between) the first, as `Rows.visit` counts them
_SQL: Final = """
    SELECT r.sample_id, r.label_version, r.partition, r.offset, toUnixTimestamp64Milli(r.event_time), r.importance,
           s.standing
    FROM (
        SELECT sample_id, max(responses.label_version) AS label_version, any(responses.partition) AS partition,
               argMax(responses.offset, responses.label_version) AS offset, any(responses.event_time) AS event_time,
               argMax(label, responses.label_version) AS answer,
               arrayMax(arrayMap(one -> if(one.4 != answer, one.2 + 1, 0), all)) AS since,
               groupArray((version, responses.label_version, norm / scale, label)) AS all,
               arraySort(arrayFilter(one -> one.2 >= since, all)) AS visits,
               arrayFilter((one, place) -> place = 1 OR one.1 != visits[place - 1].1, visits,
                           arrayEnumerate(visits)) AS counted,
               arrayAvg(one -> one.3, counted) AS importance
        FROM responses FINAL GROUP BY sample_id) AS r
    LEFT JOIN (SELECT sample_id, standing FROM standings FINAL) AS s ON r.sample_id = s.sample_id
    WHERE r.sample_id NOT IN (SELECT sample_id FROM trusted_now WHERE part IN ('direction', 'gate'))"""


def _add(chunks: dict[str, list[NDArray[Any]]], rows: list[tuple[Any, ...]]) -> None:
    if not rows:
        return
    ids, label_version, partition, offset, event_time, importance, standing = zip(*rows, strict=True)
    values = {
        "key_high": [one.int >> 64 for one in ids],
        "key_low": [one.int & 0xFFFF_FFFF_FFFF_FFFF for one in ids],
        "label_version": label_version,
        "partition": partition,
        "offset": offset,
        "event_time": event_time,
        "importance": importance,
        "standing": [STANDINGS.index(one or "edge") for one in standing],
    }
    for name, dtype in _DTYPES.items():
        chunks[name].append(np.array(values[name], dtype))
