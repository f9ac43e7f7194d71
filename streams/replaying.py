"""A log into Kafka: items first, then the events of shoppers with their original event times, then a final tick.

Each record carries the number of its line in a header. A partition's records are always a beginning of its lines, so what
lies at its end says where to go on: a replay that was killed is resumed without anything kept elsewhere.
"""

import hashlib
import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, Final

from mainstem.errors import BrokerError
from mainstem.events import Refusal, Tick, decode, encode, read_lines
from mainstem.events.survey import belongs_to_items
from mainstem.ids import number_of
from mainstem.kafka import Broker, DirectReader
from mainstem.kafka.faults import decoded_poll
from mainstem.settings import Settings

__all__ = ["Replay"]

_LINE: Final = "mainstem-line"
_LOG: Final = "mainstem-log"
_REPORT_EVERY: Final = 2.0


class Replay:
    """One replay of a log.

    Args:
        broker: where to.
        log: JSON lines.
        settings: `label_window` and `grace` say when the final tick is.
        speed: how many times as fast as it happened; None is as fast as the broker takes it.
        tick: whether the log ends with a tick that closes every window. A log that will grow must not.
        say: told how it goes, now and then.
        clock, sleep: of this machine.
    """

    def __init__(
        self,
        broker: Broker,
        log: Path,
        settings: Settings,
        *,
        speed: float | None,
        tick: bool,
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.sent = 0
        self._broker, self._log, self._settings = broker, log, settings
        self._speed, self._tick, self._say, self._clock, self._sleep = speed, tick, say, clock, sleep
        self._name = hashlib.blake2b(next(iter(read_lines(log))), digest_size=8).hexdigest().encode()
        self._failed: list[BaseException] = []

    def run(self) -> int:
        """Send what is not there yet; gives how many records were sent."""
        from kafka import KafkaProducer  # noqa: PLC0415 - a second to import

        with DirectReader(self._broker, self._broker.topic("events")) as reader:
            events = dict.fromkeys(reader.partitions(), -1)
        done = {("items", 0): -1} | {("events", partition): line for partition, line in events.items()}
        done = {place: self._last_line(*place) for place in done}
        if max(done.values()) >= 0:
            self._say(f"goes on after line {max(done.values()) + 1:,}")
        producer: Any = KafkaProducer(**self._broker.options, linger_ms=20, batch_size=128 << 10)
        begun = shown = self._clock()
        sent = max(line for (topic, _), line in done.items() if topic == "events")
        for topic, partition, key, value, line in self._records(len(events), sent):
            if line <= done[topic, partition]:
                continue
            headers = [(_LOG, self._name), (_LINE, str(line).encode())]
            full = self._broker.topic(topic)
            producer.send(full, value, key=key, headers=headers, partition=partition).add_errback(self._failed.append)
            self.sent += 1
            if (now := self._clock()) - shown > _REPORT_EVERY or self._failed:
                self._check()
                shown = now
                self._say(f"{self.sent:,} records, {self.sent / (now - begun):,.0f} a second, line {line + 1:,}")
        producer.flush()
        producer.close()
        self._check()
        return self.sent

    def _records(self, partitions: int, sent: int = -1) -> Iterator[tuple[str, int, bytes | None, bytes, int]]:
        """Topic, partition, key, value and line number of every record, in order; events up to line `sent` do not wait."""
        for line, raw in enumerate(read_lines(self._log)):
            event = decode(raw)
            if belongs_to_items(event, raw):
                yield "items", 0, getattr(event, "item_id", "").encode() or None, raw, line
        newest, line = -1, -1
        pace = self._pace()
        for line, raw in enumerate(read_lines(self._log)):
            event = decode(raw)
            if belongs_to_items(event, raw):
                continue
            if isinstance(event, Refusal):
                yield "events", number_of("events", event.digest) % partitions, None, raw, line
                continue
            newest = max(newest, event.event_timestamp)
            if line > sent:
                pace(event.event_timestamp)
            if isinstance(event, Tick):
                yield from (("events", partition, None, raw, line) for partition in range(partitions))
            else:
                key = event.user_id.encode("utf-8", "surrogatepass")  # type: ignore[union-attr]  # items are gone already
                yield "events", _partition_of(key, partitions), key, raw, line
        if self._tick:
            end = encode(Tick(event_timestamp=newest + self._settings.label_window + self._settings.grace + 1))
            yield from (("events", partition, None, end, line + 1) for partition in range(partitions))

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

    def _last_line(self, topic: str, partition: int) -> int:
        """Number of the line that lies at the end of a partition; -1 where it is empty."""
        from kafka import KafkaConsumer, TopicPartition  # noqa: PLC0415

        place = TopicPartition(self._broker.topic(topic), partition)
        consumer: Any = KafkaConsumer(
            **self._broker.options,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
        )
        try:
            consumer.assign([place])
            end = consumer.end_offsets([place])[place]
            if end == 0:
                return -1
            consumer.seek(place, max(end - 2, 0))  # the last offset may be a marker without a record
            found = list(chain.from_iterable(decoded_poll(consumer, 5000, 500).values()))
        finally:
            consumer.close()
        headers = dict(found[-1].headers) if found else {}
        if headers.get(_LOG) != self._name:
            msg = (
                f"topic {place.topic!r} partition {partition} holds records that are not of {self._log.name!r}; "
                "replay into topics of their own: give the broker's URL another prefix, kafka://host:port/PREFIX"
            )
            raise BrokerError(msg)
        return int(headers[_LINE])

    def _check(self) -> None:
        if self._failed:
            msg = f"the broker did not take a record ({self._failed[0]!r}); the same command goes on from there"
            raise BrokerError(msg)


@lru_cache(maxsize=100_000)
def _partition_of(key: bytes, partitions: int) -> int:
    """Where Kafka's own producers put a key."""
    from kafka.partitioner.default import murmur2  # noqa: PLC0415

    return int((murmur2(key) & 0x7FFFFFFF) % partitions)
