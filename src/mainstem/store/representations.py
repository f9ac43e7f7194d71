"""Representations in the history: what the head of a version read of a sample."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final, NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from mainstem.store.named import Query
from mainstem.store.store import Store

__all__ = ["Representations", "read_by", "representations_at", "representations_of"]

_IDS: Final = 2000  # sample ids of one query; a server takes parameters of 131,072 bytes


class _Stored(NamedTuple):
    sample_id: UUID
    version: int
    digits: str


# subtle: in hexadecimal digits, because the driver takes a string for text
_SQL: Final = """
    SELECT sample_id, version, hex(bytes) FROM representations FINAL
    WHERE sample_id IN {{ids:Array(UUID)}} {of_version}
    ORDER BY sample_id, version DESC, label_version DESC LIMIT 1 BY sample_id"""
_NEWEST: Final = Query(_Stored, _SQL.format(of_version=""))
_OF_VERSION: Final = Query(_Stored, _SQL.format(of_version="AND version = {version:UInt32}"))
_AT: Final = """
    SELECT UUIDStringToNum(toString(sample_id)), hex(bytes) FROM representations FINAL
    WHERE partition = {partition:UInt32} AND offset < {end:UInt64} AND version = {version:UInt32}
    ORDER BY sample_id, label_version DESC LIMIT 1 BY sample_id"""
_READ_BY: Final = """
    SELECT version, uniqExact(sample_id) FROM representations
    WHERE partition = {partition:UInt32} AND offset < {end:UInt64}
    GROUP BY version ORDER BY version DESC"""


@dataclass(frozen=True)
class Representations:
    """What heads read of N samples.

    Attributes:
        sample_ids: ids of the samples.
        versions: version whose head read each sample, shape (N,). Two versions read in different
            ways, so only representations of one version should be compared.
        values: the representations, shape (N, D), float16.
    """

    sample_ids: tuple[UUID, ...]
    versions: NDArray[np.int64]
    values: NDArray[np.float16]


def representations_of(
    store: Store, sample_ids: Iterable[UUID], version: int | None = None
) -> Iterator[Representations]:
    """Read the representations of samples, in batches of at most 2,000.

    Samples without a representation are left out: it may have expired, or none was kept.

    Args:
        store: the history.
        sample_ids: ids of the samples.
        version: version whose representations are read; None reads the newest one of each sample.

    Yields:
        Batches, each with representations of one length D, ordered by sample id.
    """
    ids, query = list(dict.fromkeys(sample_ids)), _NEWEST if version is None else _OF_VERSION
    more: dict[str, Any] = {} if version is None else {"version": version}
    for first in range(0, len(ids), _IDS):
        found = query.of(store, ids=ids[first : first + _IDS], **more)
        found.sort(key=_length)
        for _, rows in groupby(found, _length):
            keys, versions, digits = zip(*rows, strict=True)
            values = np.frombuffer(bytes.fromhex("".join(digits)), "<f2")
            matrix = values.reshape(len(keys), -1).astype(np.float16)
            yield Representations(keys, np.array(versions, np.int64), matrix)


def read_by(store: Store, partition: int, end: int) -> list[tuple[int, int]]:
    """Versions, the newest first, and how many samples of a partition the head of each has read.

    Args:
        store: the history.
        partition: partition of the samples.
        end: position up to which (exclusive) samples count.
    """
    return [
        (version, samples)
        for version, samples in store.rows(_READ_BY, partition=partition, end=end)
    ]


def representations_at(
    store: Store, partition: int, end: int, version: int
) -> Iterator[tuple[bytes, NDArray[np.float16]]]:
    """What the head of one version read of the samples of a partition.

    Args:
        store: the history.
        partition: partition of the samples.
        end: position up to which (exclusive) samples count.
        version: number of the version.

    Yields:
        The id of a sample, 16 bytes, and its representation, shape (D,).
    """
    for key, digits in store.stream(_AT, partition=partition, end=end, version=version):
        yield key, np.frombuffer(bytes.fromhex(digits), "<f2").astype(np.float16)


def _length(one: _Stored) -> int:
    return len(one.digits)
