"""Topic `counts` beside tables `counts` and `hours`: each hour has the rows that were published.

The first complete publication of an hour counts, so the audit puts hours together as the sink does.
Rows are compared by their digests, which keeps 16 bytes of each.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeAlias

from msgspec.structs import astuple

from mainstem.behaviour import HOUR
from mainstem.kafka import Broker, DirectReader
from mainstem.kafka.hours import decode_hour
from mainstem.kafka.messages import read_message
from mainstem.settings import Join
from mainstem.store import Store
from mainstem.store.compared import counts_of, hours_of

from .hours import Hours

__all__ = ["HourOut", "HoursLine", "hours_beside"]

_Rows: TypeAlias = dict[int, set[bytes]]
"""Digests of the rows of each hour, its closing record included."""


class HourOut(NamedTuple):
    """An hour in which topic and history differ.

    Attributes:
        hour: begin of the hour in UTC, like `2010-12-01T08:00Z`.
        missing: number of rows that the history lacks.
        other: number of rows that only the history has.
    """

    hour: str
    missing: int
    other: int


@dataclass(frozen=True)
class HoursLine:
    """One partition of topic `counts` beside tables `counts` and `hours`.

    Attributes:
        partition: the partition.
        in_topic: number of hours with a complete publication in the topic.
        in_history: number of hours that the history has closing records of.
        rows: number of rows of the hours in the topic.
        first_offset: oldest offset of the topic; above 0 if the broker has deleted records. Hours
            that only the history has are in balance then.
        out: the hours that differ, in order.
    """

    partition: int
    in_topic: int
    in_history: int
    rows: int
    first_offset: int
    out: list[HourOut]

    @property
    def missing(self) -> int:
        """Number of rows that the history lacks."""
        return sum(one.missing for one in self.out)

    @property
    def other(self) -> int:
        """Number of rows that only the history has."""
        return sum(one.other for one in self.out)

    @property
    def in_balance(self) -> bool:
        """Whether the history has the hours of the topic, row by row."""
        return not self.out


class _Place(NamedTuple):
    partition: int
    offset: int


def hours_beside(broker: Broker, store: Store, join: Join) -> Iterator[HoursLine]:
    """Compare each partition of topic `counts` with the history.

    Args:
        broker: the broker.
        store: the history.
        join: settings of the join; `partitions` is used.
    """
    with DirectReader(broker, broker.topic("counts")) as reader:
        for partition in range(join.partitions):
            first, end = reader.first(partition), reader.end(partition)
            topic, history = _published(reader, partition, first, end), _kept(store, partition)
            compared = sorted(topic if first else topic.keys() | history.keys())
            empty = set[bytes]()
            pairs = [(one, topic.get(one, empty), history.get(one, empty)) for one in compared]
            yield HoursLine(
                partition=partition,
                in_topic=len(topic),
                in_history=len(history),
                rows=sum(len(rows) - 1 for rows in topic.values()),
                first_offset=first,
                out=[
                    HourOut(_time(hour), len(there - here), len(here - there))
                    for hour, there, here in pairs
                    if there != here
                ],
            )


def _published(reader: DirectReader, partition: int, first: int, end: int) -> _Rows:
    """The rows of the first complete publication of each hour."""
    rows, hours, at = _Rows(), Hours(), first
    hours.own(partition, None)
    while at < end:
        for offset, value in reader.read(partition, at, end, most=5000):
            at = offset + 1
            place = f"counts/{partition} at {offset}"
            message = read_message(value, decode_hour, place) if value else None
            hour = hours.take(_Place(partition, offset), message) if message else None
            if hour is not None:
                closing = (hour.hour, len(hour.counts), hour.uncounted)
                counts = map(astuple, hour.counts)
                rows[hour.first] = {_digest(closing), *map(_digest, counts)}
    return rows


def _kept(store: Store, partition: int) -> _Rows:
    """The rows of each hour in the history."""
    rows: _Rows = defaultdict(set)
    for first, *closing in hours_of(store, partition):
        rows[first].add(_digest(closing))
    for hour, *count in counts_of(store, partition):
        rows[hour].add(_digest(count))
    return dict(rows)


def _digest(row: Iterable[Any]) -> bytes:
    written = repr(tuple(row)).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(written, digest_size=16).digest()


def _time(hour: int) -> str:
    return f"{datetime.fromtimestamp(hour * HOUR / 1000, UTC):%Y-%m-%dT%H:%MZ}"
