"""Ticks the idle partitions of `events`, so that their hours close although nothing happens there.

A partition is idle if the group has consumed it to its end in two successive looks and its end has
not moved between them. The tick carries the smallest newest event time among the partitions that
are not idle. It never carries the time of a clock; while all partitions are idle, nothing moves.

Each worker ticks the idle partitions that it owns. Of its own partitions it knows how far they are
joined and their newest event time. Of the others it asks the broker: the group's commit says how
far a partition is joined, and the records before the commit say that its newest event time is at
least theirs. This lower bound costs one read of a few records, and only while a partition of this
worker is idle. A tick that is a little too early only closes an hour later.

The tick is an ordinary record in `events`, so the join stays a pure function of its log. If two
workers own a partition for a while and both tick it, the second tick changes nothing.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from mainstem.behaviour import hour_of
from mainstem.events import Item, Labelled, Refusal, Tick, decode, encode
from mainstem.join import Joiner
from mainstem.kafka import Record

from .outbox import Message, Send

__all__ = ["Idle", "Worker"]

_TAIL: Final = 20  # records before a commit that are read for their event times


class Reader(Protocol):
    """Reads topic `events` directly, and knows the commits of the group (`DirectReader`)."""

    def partitions(self) -> list[int]:
        """Numbers of the partitions."""

    def first(self, partition: int) -> int:
        """The oldest offset."""

    def end(self, partition: int) -> int:
        """Offset after the last record."""

    def committed(self, partition: int) -> int | None:
        """Offset that the group has committed."""

    def read(self, partition: int, first: int, end: int) -> list[Record]:
        """Read records."""


class Worker(Protocol):
    """The part of a `JoinWorker` that is needed here."""

    @property
    def joiners(self) -> Mapping[int, Joiner]:
        """The joiners of the owned partitions that have been loaded."""

    async def ask(self, action: Callable[..., Any], *arguments: Any) -> Any:
        """Run a blocking action in the thread of the reader."""


class Idle:
    """Looks for idle partitions of a worker, and ticks them.

    Args:
        worker: the worker.
        reader: reader of topic `events`, with the group's commits.
        send: sends the ticks.
        grace: setting `join.grace`, in milliseconds.

    Attributes:
        ticks: number of ticks sent so far, by partition.
    """

    def __init__(self, worker: Worker, reader: Reader, send: Send, grace: int) -> None:
        self.ticks: dict[int, int] = {}
        self._worker, self._reader, self._send, self._grace = worker, reader, send, grace
        # ends at which partitions were consumed in the last look
        self._ends: dict[int, int] = {}

    async def look(self) -> None:
        """Tick the owned partitions that are idle, if that closes an hour of theirs."""
        before, self._ends = self._ends, {}
        joiners = dict(self._worker.joiners)
        reached = {partition: joiner.next_offset for partition, joiner in joiners.items()}
        mine = {one for one in joiners if await self._is_idle(one, reached[one], before)}
        if not mine:
            return
        newest = {one: joiner.watermark + self._grace for one, joiner in joiners.items()}
        times = [time for one, time in newest.items() if one not in mine]
        for other in await self._ask(self._reader.partitions):
            if other not in joiners:
                stands = await self._ask(self._stands, other)
                if not await self._is_idle(other, stands, before):
                    times.append(await self._ask(self._newest, other, stands))
        time = min(times, default=-1)
        due = [one for one in sorted(mine) if self._closes(newest[one], time)]
        if due:
            value = encode(Tick(event_timestamp=time))
            await self._send([Message("events", partition, None, value) for partition in due])
        for partition in due:
            self.ticks[partition] = self.ticks.get(partition, 0) + 1

    async def _is_idle(self, partition: int, reached: int, before: Mapping[int, int]) -> bool:
        end: int = await self._ask(self._reader.end, partition)
        if reached >= end:
            self._ends[partition] = end
        return reached >= end and before.get(partition) == end

    def _closes(self, newest: int, time: int) -> bool:
        """Whether a tick moves the watermark into another hour than the newest event has."""
        return time >= 0 and hour_of(time - self._grace) > hour_of(newest - self._grace)

    def _stands(self, partition: int) -> int:
        committed = self._reader.committed(partition)
        return self._reader.first(partition) if committed is None else committed

    def _newest(self, partition: int, end: int) -> int:
        """Event time that a partition has reached at least; -1 if nothing is known."""
        first = max(self._reader.first(partition), end - _TAIL)
        times = [-1]
        while first < end:
            for record in self._reader.read(partition, first, end):
                event = decode(record.value or b"")
                # subtle: joiners refuse items and some labelled events, which move no time then
                if not isinstance(event, Refusal | Item | Labelled):
                    times.append(event.event_timestamp)
                first = record.offset + 1
        return max(times)

    async def _ask(self, action: Callable[..., Any], *arguments: Any) -> Any:
        return await self._worker.ask(action, *arguments)
