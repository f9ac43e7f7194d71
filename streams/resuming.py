"""Where a replay into Kafka stands: what lies at the end of each partition says it, and that it is of the same log.

Each record tells its line, the mark behind that line, and the mark before the file that it is from: a log that goes on is
known again, another one is refused, and the next file of a rotated log is put behind the ones before.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Final, NamedTuple

from mainstem.errors import BrokerError
from mainstem.events import Item, Refusal, decode, read_lines
from mainstem.events.marks import BEGIN, Mark
from mainstem.kafka import Broker
from mainstem.kafka.faults import decoded_poll

__all__ = ["Sent", "headers_of", "last_sent", "mark_before", "numbered"]

_LOG: Final = (
    "mainstem-log"  # of records sent before there were marks: a digest of the log's first line
)
_LINE: Final = "mainstem-line"
_MARK: Final = "mainstem-mark"
_FILE: Final = "mainstem-file"
_AWAY: Final = "replay into topics of their own: give the broker's URL another prefix, kafka://host:port/PREFIX"


class Sent(NamedTuple):
    """The last record of a partition.

    Attributes:
        topic, partition: where it lies.
        line: number of its line; -1 where nothing was sent.
        mark: behind its line; None of a record that was sent before there were marks.
        file: the mark before its file.
        event_time: of its event, in milliseconds.
    """

    topic: str
    partition: int
    line: int = -1
    mark: Mark | None = None
    file: Mark = BEGIN
    event_time: int = -1

    @property
    def is_final(self) -> bool:
        """Whether it is the tick behind the last line."""
        return self.mark is not None and self.mark.lines == self.line


def headers_of(line: int, mark: Mark, file: Mark) -> list[tuple[str, bytes]]:
    """What a record tells."""
    return [(_LINE, b"%d" % line), (_MARK, _written(mark)), (_FILE, _written(file))]


def last_sent(broker: Broker, topic: str, partition: int, log: Path) -> Sent:
    """What lies at the end of a partition.

    Raises:
        BrokerError: if it is no record of a replay.
    """
    from kafka import KafkaConsumer, TopicPartition  # a second to import

    place = TopicPartition(broker.topic(topic), partition)
    found: list[Any] = []
    consumer: Any = KafkaConsumer(
        **broker.options,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    try:
        consumer.assign([place])
        end = consumer.end_offsets([place])[place]
        if end == 0:
            return Sent(topic, partition)
        if consumer.beginning_offsets([place])[place] < end:
            consumer.seek(
                place, max(end - 2, 0)
            )  # the last offset may be a marker without a record
            found = list(chain.from_iterable(decoded_poll(consumer, 15_000, 500).values()))
    finally:
        consumer.close()
    headers = dict(found[-1].headers) if found else {}
    if _LINE not in headers or (_MARK not in headers and headers.get(_LOG) != _name_of(log)):
        raise _others(place.topic, partition, log)
    event, mark = decode(found[-1].value or b""), headers.get(_MARK)
    return Sent(
        topic,
        partition,
        int(headers[_LINE]),
        _read(mark) if mark else None,
        _read(headers[_FILE]) if mark else BEGIN,
        getattr(event, "event_timestamp", -1),
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
    """The mark before a log's first line, once it is known to be what was sent, or to follow it.

    Args:
        log: what is about to be sent.
        sent: the last record of each partition.
        broker: for messages.
        append: whether the log may be the next file of a rotated one.
        grace: how far events may come out of order, in milliseconds.
        say: told what somebody should know.

    Raises:
        BrokerError: if it is another log, or the wrong file of it, or a final tick has closed what would go on.
    """
    there = [one for one in sent if one.line >= 0]
    if any(one.mark is None for one in there):
        say(f"the records in Kafka do not say which log they are of; {str(log)!r} is taken for it")
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
    """Number, bytes and event of each line, and the mark behind it; numbered from the first file on."""
    mark = begin
    for raw in read_lines(log):
        event = decode(raw)
        mark = mark.after(raw, event)
        yield mark.lines - 1, raw, event, mark


def _other(log: Path, begin: Mark, sent: Sequence[Sent]) -> tuple[Any, int]:
    """A record that is not of this log, None where all are; and how many lines there are, from the first log on."""
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
    """Refuse to go on behind a final tick: what comes after it would be late, and its first line would be passed over."""
    if any(one.is_final and one.line != lines for one in sent):
        msg = (
            f"a final tick has closed every window, and {str(log)!r} goes on after it; a log that will grow is replayed "
            f"with --no-tick. Now {_AWAY}"
        )
        raise BrokerError(msg)


def _check_order(log: Path, oldest: int) -> None:
    events = (decode(raw) for raw in read_lines(log))
    times = [event.event_timestamp for event in events if not isinstance(event, Refusal | Item)]
    if older := sum(time < oldest for time in times):
        msg = (
            f"{str(log)!r} is not the next file of the log that was sent: {older:,} of its {len(times):,} events are older "
            "than that; files are appended oldest first"
        )
        raise BrokerError(msg)


def _others(topic: str, partition: int, log: Path) -> BrokerError:
    msg = (
        f"topic {topic!r} partition {partition} holds records that are not of {log.name!r}; {_AWAY}; "
        "the next file of a rotated log is sent with --append"
    )
    return BrokerError(msg)


def _name_of(log: Path) -> bytes:
    return hashlib.blake2b(next(read_lines(log)), digest_size=8).hexdigest().encode()


def _written(mark: Mark) -> bytes:
    return f"{mark.lines} {mark.raw.hex()} {mark.events.hex()}".encode()


def _read(text: bytes) -> Mark:
    lines, raw, events = text.decode().split(" ")
    return Mark(int(lines), bytes.fromhex(raw), bytes.fromhex(events))
