"""Puts the hours of topic `counts` together: the first complete publication of an hour counts.

Hours of a partition are published in ascending order, and a snapshot is saved after the hours
before it were delivered. So once an hour is complete, every later publication of it or of an
earlier hour is a repetition, and a reader has to remember only the last complete hour.
"""

import logging
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from mainstem.behaviour import Count, Hour
from mainstem.kafka.hours import CountsPart, HourClosed

__all__ = ["Hours"]

_LOG = logging.getLogger("mainstem")
_Publication = tuple[int, str]
"""Hour of the rows of a publication, and their digest."""


@dataclass
class _Open:
    """Parts of publications that are not complete, and the offset of the first of them."""

    closed: int | None  # last complete hour; None before the first
    parts: dict[_Publication, dict[int, list[Count]]] = field(default_factory=dict)
    since: dict[_Publication, int] = field(default_factory=dict)


class Hours:
    """The hours of the partitions of topic `counts` that one reader owns.

    Attributes:
        complete: number of publications that counted, by partition.
        repeated: number of complete publications that did not count, because their hour was closed.
        uncounted: number of events that no hour counts, by partition.
    """

    def __init__(self) -> None:
        self.complete: dict[int, int] = defaultdict(int)
        self.repeated: dict[int, int] = defaultdict(int)
        self.uncounted: dict[int, int] = defaultdict(int)
        self._open: dict[int, _Open] = {}

    def own(self, partition: int, closed: int | None) -> None:
        """Take over a partition.

        Args:
            partition: the partition.
            closed: its last hour that the history has; None if it has none.
        """
        self._open[partition] = _Open(closed)

    def disown(self, partition: int) -> None:
        """Give up a partition."""
        self._open.pop(partition, None)

    def take(self, record: Any, message: CountsPart | HourClosed) -> Hour | None:
        """Take the next record of a partition.

        Args:
            record: the record, with its partition and its offset.
            message: the message in it.

        Returns:
            The hour that the record completes, if it is the hour's first complete publication.
        """
        mine = self._open.get(record.partition)
        if mine is None:  # revoked in the meantime; the next owner reads the record again
            return None
        publication = message.first, message.digest
        last = message.first if isinstance(message, CountsPart) else message.hour
        passed = mine.closed is not None and last <= mine.closed
        if isinstance(message, CountsPart):
            if not passed:
                mine.since.setdefault(publication, int(record.offset))
                mine.parts.setdefault(publication, {})[message.part] = message.counts
            return None
        if passed:
            self.repeated[record.partition] += 1
            return None
        parts = mine.parts.get(publication, {})
        if any(part not in parts for part in range(message.parts)):
            # the publication began before this reader did, or a worker of another release made it
            text = "counts/%d at %d closes hour %d, but only %d of its %d parts are there"
            _LOG.warning(text, *_place(record), message.first, len(parts), message.parts)
            return None
        self._close(mine, record, message)
        rows = [row for part in range(message.parts) for row in parts[part]]
        return Hour(
            partition=record.partition,
            first=message.first,
            hour=message.hour,
            counts=rows,
            uncounted=message.uncounted,
        )

    def _close(self, mine: _Open, record: Any, message: HourClosed) -> None:
        if mine.closed is not None and message.first > mine.closed + 1:
            text = "counts/%d at %d: no record closes the hours from %d to %d; they are not counted"
            _LOG.warning(text, *_place(record), mine.closed + 1, message.first - 1)
        mine.closed = message.hour
        for publication in [one for one in mine.parts if one[0] <= message.hour]:
            del mine.parts[publication], mine.since[publication]
        self.complete[record.partition] += 1
        self.uncounted[record.partition] += message.uncounted

    @property
    def waiting(self) -> dict[int, int]:
        """Number of hours of each partition that have begun but are not complete."""
        return {
            partition: len({first for first, _ in mine.parts})
            for partition, mine in self._open.items()
        }

    @property
    def closed(self) -> dict[int, int]:
        """The last complete hour of each partition that has one."""
        return {
            partition: mine.closed
            for partition, mine in self._open.items()
            if mine.closed is not None
        }

    def begins(self, partition: int, position: int) -> int:
        """Offset that may be committed: a reader that starts there finds all open hours whole.

        Args:
            partition: the partition.
            position: offset after the last record taken.
        """
        mine = self._open.get(partition)
        return min(mine.since.values(), default=position) if mine else position


def _place(record: Any) -> tuple[int, int]:
    return record.partition, record.offset
