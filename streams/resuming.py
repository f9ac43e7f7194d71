"""Finds where a replay into Kafka goes on, and checks that the topics hold the same log.

The headers of each record hold the number of its line, the mark after that line and the mark before
the file that the line is from (`events.marks`). So a replay recognises a log that has grown,
refuses another log, and appends the next file of a rotated log to the files before it.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Final, NamedTuple

from mainstem.errors import BrokerError
from mainstem.events import Item, Refusal, Tick, decode, read_lines
from mainstem.events.marks import BEGIN, Mark
from mainstem.kafka import Broker
from mainstem.kafka.faults import decoded_poll

__all__ = ["Sent", "headers_of", "last_sent", "mark_before", "numbered"]

# headers of a record; records from before marks existed have _LOG, a digest of the log's first line
_LOG: Final = "mainstem-log"
_LINE: Final = "mainstem-line"
_MARK: Final = "mainstem-mark"
_FILE: Final = "mainstem-file"
_AFTER: Final = "mainstem-after"  # the record is the tick of an hour that follows the line
_AWAY: Final = (
    "to replay into other topics, give the broker's URL another prefix, kafka://host:port/PREFIX"
)


class Sent(NamedTuple):
    """The last record that a replay has sent to a partition.

    Attributes:
        topic, partition: the partition; `topic` is the short name.
        line: number of the record's line in the log, from 0; -1 if nothing was sent.
        mark: mark after that line; None for a record that was sent before marks existed.
        file: mark before the file that the line is from.
        event_time: event time of the record in milliseconds; -1 if it has none.
        after: whether the record is the tick of an hour that follows the line.
    """

    topic: str
    partition: int
    line: int = -1
    mark: Mark | None = None
    file: Mark = BEGIN
    event_time: int = -1
    after: bool = False

    @property
    def is_final(self) -> bool:
        """Whether the record is the final tick, which follows the last line."""
        return self.mark is not None and self.mark.lines == self.line


def headers_of(
    line: int, mark: Mark, file: Mark, *, after: bool = False
) -> list[tuple[str, bytes]]:
    """Make the headers of a record.

    Args:
        line: number of its line.
        mark: mark after that line.
        file: mark before the file that the line is from.
        after: whether the record is the tick of an hour that follows the line.
    """
    headers = [(_LINE, b"%d" % line), (_MARK, _written(mark)), (_FILE, _written(file))]
    return [*headers, (_AFTER, b"1")] if after else headers


def last_sent(broker: Broker, topic: str, partition: int, log: Path) -> Sent:
    """Read the last record of a partition that a replay may have sent.

    Join workers tick idle partitions; their ticks have no headers, and are passed over.

    Args:
        broker: broker to read from.
        topic, partition: the partition; `topic` is the short name.
        log: log that is about to be replayed.

    Raises:
        BrokerError: if no replay sent the record, or if it is from before marks existed and
            belongs to another log.
    """
    from kafka import KafkaConsumer, TopicPartition  # a second to import

    place = TopicPartition(broker.topic(topic), partition)
    consumer: Any = KafkaConsumer(
        **broker.options,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    try:
        consumer.assign([place])
        end = consumer.end_offsets([place])[place]
        first = consumer.beginning_offsets([place])[place]
        found = _newest(consumer, place, first, end)
    finally:
        consumer.close()
    if found is None and first == 0:
        return Sent(topic, partition)
    headers = dict(found.headers) if found else {}
    if _LINE not in headers or (_MARK not in headers and headers.get(_LOG) != _name_of(log)):
        raise _others(place.topic, partition, log)
    event, mark = decode(found.value or b""), headers.get(_MARK)
    return Sent(
        topic,
        partition,
        int(headers[_LINE]),
        _read(mark) if mark else None,
        _read(headers[_FILE]) if mark else BEGIN,
        getattr(event, "event_timestamp", -1),
        _AFTER in headers,
    )


def mark_before(
    log: Path,
    sent: Sequence[Sent],
    broker: Broker,
    *,
    append: bool,
    grace: int,
    say: Callable[[str], None],
) -> Mark:
    """Check that a log is the one that was sent or follows it, and return the mark before it.

    Args:
        log: log that is about to be replayed.
        sent: last record of each partition.
        broker: broker of the topics, which messages name.
        append: whether the log may be the next file of a rotated log.
        grace: how far events may be out of order, in milliseconds.
        say: called with a remark if the topics do not say which log they hold.

    Returns:
        The mark before the first line of the log: `BEGIN`, or where an earlier file ended.

    Raises:
        BrokerError: if it is another log, if it is not the next file of a rotated log, or if it
            would go on after a final tick.
    """
    there = [one for one in sent if one.line >= 0]
    if any(one.mark is None for one in there):
        say(f"the records in Kafka do not name their log; assuming that it is {str(log)!r}")
        return BEGIN
    newest = max((one.file for one in there), key=lambda mark: mark.lines, default=BEGIN)
    for begin in [BEGIN, newest] if append and newest != BEGIN else [BEGIN]:
        other, lines = _other(log, begin, [one for one in there if begin in (BEGIN, one.file)])
        if other is None:
            _refuse_closed(log, there, lines)
            return begin
    if not append:
        raise _others(broker.topic(other.topic), other.partition, log)
    _refuse_closed(log, there, -1)
    _check_order(log, max(one.event_time for one in there) - grace)
    return max((one.mark for one in there if one.mark), key=lambda mark: mark.lines)


def numbered(log: Path, begin: Mark) -> Iterator[tuple[int, bytes, Any, Mark]]:
    """Yield the number, bytes and event of each line, and the mark after it.

    Args:
        log: the log.
        begin: mark before its first line. Numbers go on from there, across rotated files.
    """
    mark = begin
    for raw in read_lines(log):
        event = decode(raw)
        mark = mark.after(raw, event)
        yield mark.lines - 1, raw, event, mark


def _newest(consumer: Any, place: Any, first: int, end: int) -> Any:
    """The newest record that is no tick without headers; None if there is none."""
    back, start = 2, end  # the last offset may hold the marker of a transaction, which is no record
    newest = None
    while newest is None and start > first:
        start, back = max(end - back, first), back * 8
        consumer.seek(place, start)
        reached, within = start, 15_000
        while reached < end:
            records = list(chain.from_iterable(decoded_poll(consumer, within, 500).values()))
            for record in records:
                if record.headers or not isinstance(decode(record.value or b""), Tick):
                    newest = record
            reached, within = consumer.position(place) if records else end, 1000
    return newest


def _other(log: Path, begin: Mark, sent: Sequence[Sent]) -> tuple[Any, int]:
    """Find a record that is not from this log, or None; and count the lines up to its end.

    Lines are counted from the first file of a rotated log.
    """
    wanted: dict[int, list[Sent]] = {}
    for one in sent:
        if one.mark:
            wanted.setdefault(one.mark.lines, []).append(one)
    mark = begin
    for _, _, _, mark in numbered(log, begin):
        for one in wanted.pop(mark.lines, ()):
            if one.mark and not mark.agrees(one.mark):
                return one, mark.lines
    left = next(chain.from_iterable(wanted.values()), None)
    return left, mark.lines


def _refuse_closed(log: Path, sent: Sequence[Sent], lines: int) -> None:
    """Refuse to go on after a final tick.

    Later events would be late, and the first of them would be skipped, because the tick has its
    line number.
    """
    if any(one.is_final and one.line != lines for one in sent):
        msg = (
            f"a final tick has closed every window, and {str(log)!r} goes on after it; "
            f"a log that will grow must be replayed with --no-tick; {_AWAY}"
        )
        raise BrokerError(msg)


def _check_order(log: Path, oldest: int) -> None:
    events = (decode(raw) for raw in read_lines(log))
    times = [event.event_timestamp for event in events if not isinstance(event, Refusal | Item)]
    if older := sum(time < oldest for time in times):
        msg = (
            f"{str(log)!r} is not the next file of the log that was sent: {older:,} of its "
            f"{len(times):,} events are older than the newest event sent; append files oldest first"
        )
        raise BrokerError(msg)


def _others(topic: str, partition: int, log: Path) -> BrokerError:
    msg = (
        f"topic {topic!r} partition {partition} holds records that are not from {log.name!r}; "
        f"{_AWAY}; to send the next file of a rotated log, use --append"
    )
    return BrokerError(msg)


def _name_of(log: Path) -> bytes:
    return hashlib.blake2b(next(read_lines(log)), digest_size=8).hexdigest().encode()


def _written(mark: Mark) -> bytes:
    return f"{mark.lines} {mark.raw.hex()} {mark.events.hex()}".encode()


def _read(text: bytes) -> Mark:
    lines, raw, events = text.decode().split(" ")
    return Mark(int(lines), bytes.fromhex(raw), bytes.fromhex(events))
