"""A log into Kafka: items first, then the events of shoppers with their original event times, then a final tick.

A partition's records are always a beginning of its lines, and each record tells its line and its log (`place.py`), so what
lies at its end says where to go on: a replay that was killed is resumed without anything kept elsewhere.
"""

import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, Final

from mainstem.bootstrap import open_producer
from mainstem.errors import BrokerError
from mainstem.events import Refusal, Tick, encode
from mainstem.events.marks import BEGIN, Mark
from mainstem.events.survey import belongs_to_items
from mainstem.ids import number_of
from mainstem.kafka import Broker, DirectReader
from mainstem.settings import Join

from .resuming import headers_of, last_sent, mark_before, numbered

__all__ = ["Replay"]

_REPORT_EVERY: Final = 2.0


class Replay:
    """One replay of a log.

    Args:
        broker: where to.
        log: JSON lines.
        join: `label_window` and `grace` say when the final tick is.
        speed: how many times as fast as it happened; None is as fast as the broker takes it.
        tick: whether the log ends with a tick that closes every window. A log that will grow must not; a last line of it
            that no event can be read from may be half-written, and waits.
        say: told how it goes, now and then.
        append: whether the log may be the next file of a rotated one that was sent.
        clock, sleep: of this machine.
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
        self._speed, self._tick, self._say, self._clock, self._sleep = (
            speed,
            tick,
            say,
            clock,
            sleep,
        )
        self._append = append
        self._failed: list[BaseException] = []

    def run(self) -> int:
        """Send what is not there yet; gives how many records were sent."""
        with DirectReader(self._broker, self._broker.topic("events")) as reader:
            events = reader.partitions()
        places = [("items", 0), *(("events", partition) for partition in events)]
        ends = [last_sent(self._broker, *place, self._log) for place in places]
        options: dict[str, Any] = {
            "append": self._append,
            "grace": self._join.grace,
            "say": self._say,
        }
        file = mark_before(self._log, ends, self._broker, **options)
        done = {(end.topic, end.partition): end.line for end in ends}
        if max(done.values()) >= 0:
            self._say(f"goes on after line {max(done.values()) + 1:,}")
        producer: Any = open_producer(self._broker, linger_ms=20, batch_size=128 << 10)
        begun = shown = self._clock()
        sent = max(line for (topic, _), line in done.items() if topic == "events")
        for topic, partition, key, value, line, mark in self._records(len(events), sent, file):
            if line <= done[topic, partition]:
                continue
            full, headers = self._broker.topic(topic), headers_of(line, mark, file)
            producer.send(full, value, key=key, headers=headers, partition=partition).add_errback(
                self._failed.append
            )
            self.sent += 1
            if (now := self._clock()) - shown > _REPORT_EVERY or self._failed:
                self._check()
                shown = now
                self._say(
                    f"{self.sent:,} records, {self.sent / (now - begun):,.0f} a second, line {line + 1:,}"
                )
        producer.flush()
        producer.close()
        self._check()
        return self.sent

    def _records(
        self, partitions: int, sent: int = -1, file: Mark = BEGIN
    ) -> Iterator[tuple[str, int, bytes | None, bytes, int, Mark]]:
        """Topic, partition, key, value, line number and mark of every record, in order.

        Events up to line `sent` do not wait; `file` is the mark before the log's first line.
        """
        total = file.lines
        for line, raw, event, mark in numbered(self._log, file):
            total = mark.lines
            if belongs_to_items(event, raw):
                yield "items", 0, getattr(event, "item_id", "").encode() or None, raw, line, mark
        yield from self._events(partitions, sent, file, total)

    def _events(
        self, partitions: int, sent: int, file: Mark, total: int
    ) -> Iterator[tuple[str, int, bytes | None, bytes, int, Mark]]:
        newest, mark = -1, file
        pace = self._pace()
        # subtle: what has come since may be an item, and items were read before
        for line, raw, event, mark in islice(numbered(self._log, file), total - file.lines):
            if belongs_to_items(event, raw):
                continue
            if isinstance(event, Refusal):
                if mark.lines == total and not self._tick:
                    self._say(
                        f"line {line + 1:,} is no event yet; it is sent once another line follows it"
                    )
                    return
                yield (
                    "events",
                    number_of("events", event.digest) % partitions,
                    None,
                    raw,
                    line,
                    mark,
                )
                continue
            newest = max(newest, event.event_timestamp)
            if line > sent:
                pace(event.event_timestamp)
            if isinstance(event, Tick):
                yield from (
                    ("events", partition, None, raw, line, mark) for partition in range(partitions)
                )
            else:
                key = event.user_id.encode("utf-8", "surrogatepass")
                yield "events", _partition_of(key, partitions), key, raw, line, mark
        if self._tick:
            end = encode(
                Tick(event_timestamp=newest + self._join.label_window + self._join.grace + 1)
            )
            yield from (
                ("events", partition, None, end, mark.lines, mark)
                for partition in range(partitions)
            )

    def _pace(self) -> Callable[[int], None]:
        """A function that waits until an event's time has come."""
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
            msg = f"the broker did not take a record ({self._failed[0]!r}); the same command goes on from there"
            raise BrokerError(msg)


@lru_cache(maxsize=100_000)
def _partition_of(key: bytes, partitions: int) -> int:
    """Where Kafka's own producers put a key."""
    from kafka.partitioner.default import murmur2

    return int((murmur2(key) & 0x7FFFFFFF) % partitions)
