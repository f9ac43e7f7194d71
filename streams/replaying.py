"""Replays a log into Kafka: items first, then the events of shoppers, then a final tick.

When an event closes an hour of its partition, a tick before it closes that hour in every partition,
as in the embedded loop.

The records of a partition are always a prefix of the log's lines for it, and headers name the line
and the log of each record (`resuming.py`). So the last record of each partition says where a replay
that was killed goes on, and nothing has to be kept elsewhere.
"""

import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

from mainstem.behaviour import HOUR, hour_of
from mainstem.bootstrap import open_producer
from mainstem.errors import BrokerError
from mainstem.events import Refusal, Tick, encode
from mainstem.events.marks import BEGIN, Mark
from mainstem.events.survey import belongs_to_items
from mainstem.ids import number_of
from mainstem.join import closing_time
from mainstem.kafka import Broker, DirectReader
from mainstem.settings import Join

from .resuming import headers_of, last_sent, mark_before, numbered

__all__ = ["Replay"]

_REPORT_EVERY: Final = 2.0  # seconds


class _Outgoing(NamedTuple):
    """A record to send, with the number of its line and the mark after it.

    `after` is True for the tick of an hour, which follows its line in every partition.
    """

    topic: str
    partition: int
    key: bytes | None
    value: bytes
    line: int
    mark: Mark
    after: bool = False


class Replay:
    """One replay of a log.

    Args:
        broker: broker that gets the records.
        log: event log as JSON lines.
        join: settings of the join. They set the times of the ticks.
        speed: speed against event time, such as 100.0. None sends as fast as the broker accepts.
        tick: whether to end with a tick that closes every window. False for a log that will grow.
            A last line that is no event is then not sent, because it may be half-written.
        say: called every few seconds with the progress, and with remarks.
        append: whether the log may be the next file of a rotated log whose earlier files were sent.
        clock: gives seconds that only grow.
        sleep: waits for a number of seconds.

    Attributes:
        sent: number of records sent so far.
    """

    def __init__(
        self,
        broker: Broker,
        log: Path,
        join: Join,
        *,
        speed: float | None,
        tick: bool,
        say: Callable[[str], None],
        append: bool = False,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.sent = 0
        self._broker, self._log, self._join = broker, log, join
        self._speed, self._tick, self._append = speed, tick, append
        self._say, self._clock, self._sleep = say, clock, sleep
        self._failed: list[BaseException] = []

    def run(self) -> int:
        """Send the records that the topics lack.

        Returns:
            The number of records sent.

        Raises:
            BrokerError: if the topics hold another log, or if the broker refuses a record.
        """
        with DirectReader(self._broker, self._broker.topic("events")) as reader:
            events = reader.partitions()
        places = [("items", 0), *(("events", partition) for partition in events)]
        ends = [last_sent(self._broker, *place, self._log) for place in places]
        file = mark_before(
            self._log,
            ends,
            self._broker,
            append=self._append,
            grace=self._join.grace,
            say=self._say,
        )
        done = {(end.topic, end.partition): end for end in ends}
        if (newest := max(end.line for end in ends)) >= 0:
            self._say(f"goes on after line {newest + 1:,}")
        producer: Any = open_producer(self._broker, linger_ms=20, batch_size=128 << 10)
        begun = shown = self._clock()
        sent = max(end.line for end in ends if end.topic == "events")
        for one in self._records(len(events), sent, file):
            end, line = done[one.topic, one.partition], one.line
            if (line, one.after) <= (end.line, end.after):
                continue
            full = self._broker.topic(one.topic)
            headers = headers_of(line, one.mark, file, after=one.after)
            future = producer.send(
                full, one.value, key=one.key, headers=headers, partition=one.partition
            )
            future.add_errback(self._failed.append)
            self.sent += 1
            if (now := self._clock()) - shown > _REPORT_EVERY or self._failed:
                self._check()
                shown = now
                rate = f"{self.sent / (now - begun):,.0f} a second"
                self._say(f"{self.sent:,} records, {rate}, line {line + 1:,}")
        producer.flush()
        producer.close()
        self._check()
        return self.sent

    def _records(
        self, partitions: int, sent: int = -1, file: Mark = BEGIN
    ) -> Iterator["_Outgoing"]:
        """Yield every record in order.

        Args:
            partitions: number of partitions of `events`.
            sent: last line that was sent; events up to there are given without waiting.
            file: mark before the first line of the log.
        """
        total = file.lines
        for line, raw, event, mark in numbered(self._log, file):
            total = mark.lines
            if belongs_to_items(event, raw):
                key = getattr(event, "item_id", "").encode() or None
                yield _Outgoing("items", 0, key, raw, line, mark)
        yield from self._events(partitions, sent, file, total)

    def _events(self, partitions: int, sent: int, file: Mark, total: int) -> Iterator["_Outgoing"]:
        newest, mark, grace = -1, file, self._join.grace
        pace = self._pace()
        # subtle: the log may have grown since the items were read; the new lines may hold items, so
        # they wait for the next replay
        for line, raw, event, marked in islice(numbered(self._log, file), total - file.lines):
            before, mark = mark, marked
            if belongs_to_items(event, raw):
                continue
            if not isinstance(event, Refusal):
                time = event.event_timestamp
                if line > sent:
                    pace(time)
                ended = hour_of(time - grace)  # the hour that this event's watermark is in
                if newest >= 0 and ended > hour_of(newest - grace):
                    tick = ended * HOUR + grace
                    yield from _ticks(partitions, tick, line - 1, before, after=True)
                newest = max(newest, time)
            elif mark.lines == total and not self._tick:
                held = "is not an event yet; it is sent once another line follows it"
                self._say(f"line {line + 1:,} {held}")
                return
            for place, key in _places_of(event, partitions):
                yield _Outgoing("events", place, key, raw, line, mark)
        if self._tick:
            yield from _ticks(partitions, closing_time(newest, self._join), mark.lines, mark)

    def _pace(self) -> Callable[[int], None]:
        """Make a function that waits until an event is due."""
        begun: list[tuple[float, int]] = []

        def pace(event_time: int) -> None:
            if self._speed is None:
                return
            if not begun:
                begun.append((self._clock(), event_time))
            due = begun[0][0] + (event_time - begun[0][1]) / 1000 / self._speed
            if (wait := due - self._clock()) > 0:
                self._sleep(wait)

        return pace

    def _check(self) -> None:
        if self._failed:
            msg = (
                f"the broker refused a record ({self._failed[0]!r}); "
                "run the same command again to go on from there"
            )
            raise BrokerError(msg)


def _ticks(
    partitions: int, time: int, line: int, mark: Mark, *, after: bool = False
) -> Iterator[_Outgoing]:
    tick = encode(Tick(event_timestamp=time))
    for place in range(partitions):
        yield _Outgoing("events", place, None, tick, line, mark, after)


def _places_of(event: Any, partitions: int) -> Iterator[tuple[int, bytes | None]]:
    """The partitions that get a line of the log, each with the record's key."""
    if isinstance(event, Refusal):
        yield number_of("events", event.digest) % partitions, None
    elif isinstance(event, Tick):
        yield from ((place, None) for place in range(partitions))
    else:
        key = event.user_id.encode("utf-8", "surrogatepass")
        yield _partition_of(key, partitions), key


@lru_cache(maxsize=100_000)
def _partition_of(key: bytes, partitions: int) -> int:
    """The partition that Kafka's own producers choose for a key."""
    from kafka.partitioner.default import murmur2

    return int((murmur2(key) & 0x7FFFFFFF) % partitions)
