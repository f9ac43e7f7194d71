"""Reads partitions directly, from one offset to another, outside of any consumer group.

Only committed records are read. A partition ends where its oldest open transaction begins. Records
of aborted transactions, like the markers of transactions, are offsets without a record.
"""

from typing import Any, Final, NamedTuple, NoReturn, Self

from mainstem.errors import BrokerError, StoppedError
from mainstem.kafka.broker import Broker
from mainstem.kafka.faults import decoded_poll, stuck
from mainstem.kafka.outages import ASKED

__all__ = ["DirectReader", "Record"]

_COMMITTED: Final = "read_committed"
_POLL_MS: Final = 500
# time limit of a request; then the client raises an error and the caller tries again
_ANSWER_MS: Final = 15_000
# after this many empty polls, the reader asks the broker whether anything more can come
_SILENT_POLLS: Final = 60


class Record(NamedTuple):
    """What one offset of a partition holds: a record, or none.

    Attributes:
        offset: the offset.
        value: value of the record; None if the offset holds no record, because it holds the marker
            of a transaction, or the record was aborted or removed by compaction.
    """

    offset: int
    value: bytes | None


class DirectReader:
    """Reads partitions of one topic. Only one thread may use it at a time.

    Args:
        broker: broker of the topic.
        topic: full name of the topic.
        group: full name of the consumer group whose commits `committed` returns.
    """

    def __init__(self, broker: Broker, topic: str, group: str | None = None) -> None:
        from kafka import KafkaConsumer  # the library is read without it

        self._topic = topic
        # a client that also sees uncommitted records; `held_back` makes it when it needs it
        self._uncommitted: Any = None
        self._consumer: Any = KafkaConsumer(
            **broker.options,
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="none",
            allow_auto_create_topics=False,
            isolation_level=_COMMITTED,
            max_partition_fetch_bytes=8 << 20,
        )
        self._broker = broker

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._consumer.close()
        if self._uncommitted is not None:
            self._uncommitted.close()

    def partitions(self) -> list[int]:
        """Numbers of the topic's partitions.

        Raises:
            BrokerError: if the topic does not exist.
        """
        found = self._consumer.partitions_for_topic(self._topic)
        if not found:
            msg = f"there is no topic {self._topic!r}; `mainstem topics` makes it"
            raise BrokerError(msg)
        return sorted(found)

    def first(self, partition: int) -> int:
        """The oldest offset that the broker still has."""
        at = self._at(partition)
        return int(self._consumer.beginning_offsets([at], timeout_ms=_ANSWER_MS)[at])

    def end(self, partition: int) -> int:
        """Offset after the last one that can be read.

        The next record gets this offset, or the oldest open transaction begins there.
        """
        at = self._at(partition)
        return int(self._consumer.end_offsets([at], timeout_ms=_ANSWER_MS)[at])

    def held_back(self, partition: int) -> int:
        """Number of offsets after the end that wait for an open transaction; 0 if none is open."""
        from kafka import KafkaConsumer

        end, at = self.end(partition), self._at(partition)
        if self._uncommitted is None:
            self._uncommitted = KafkaConsumer(
                **self._broker.options, enable_auto_commit=False, allow_auto_create_topics=False
            )
        return max(int(self._uncommitted.end_offsets([at], timeout_ms=_ANSWER_MS)[at]) - end, 0)

    def committed(self, partition: int) -> int | None:
        """Offset that the group has committed; None if it has committed none."""
        found = self._consumer.committed(self._at(partition), timeout_ms=_ANSWER_MS)
        return None if found is None else int(found)

    def read(self, partition: int, first: int, end: int, most: int = 1000) -> list[Record]:
        """Read every offset from `first` up to `end`, including offsets without a record.

        Args:
            partition: the partition.
            first: offset of the first record.
            end: offset after the last record.
            most: number of offsets after which reading stops early. It may be exceeded a little.

        Raises:
            BrokerError: if the broker has deleted some of these offsets, or gives nothing more.
            StoppedError: if this process is asked to end while the broker gives nothing.
        """
        at = self._at(partition)
        if (oldest := self.first(partition)) > first:
            msg = (
                f"offsets {first} to {oldest - 1} of {self._topic!r} partition {partition} are "
                "gone: the broker deleted them before they were read; restore them, or give the "
                "topic a longer retention and begin a new deployment (another prefix)"
            )
            raise BrokerError(msg)
        self._consumer.assign([at])
        self._consumer.seek(at, first)
        records: list[Record] = []
        reached, silent = first, 0
        while reached < end and len(records) < most:
            before = reached
            for found in decoded_poll(self._consumer, _POLL_MS, most).get(at, []):
                if found.offset >= end:
                    break
                records += [Record(offset, None) for offset in range(reached, found.offset)]
                records.append(Record(found.offset, found.value or b""))
                reached = found.offset + 1
            passed = min(self._consumer.position(at, timeout_ms=_ANSWER_MS) or reached, end)
            records += [Record(offset, None) for offset in range(reached, passed)]
            reached = max(reached, passed)
            silent = silent + 1 if reached == before else 0
            if ASKED.is_set() and silent:
                msg = f"asked to end while reading topic {self._topic!r}"
                raise StoppedError(msg)
            if silent >= _SILENT_POLLS:
                self._give_up(partition, reached, end)
        return records

    def _give_up(self, partition: int, reached: int, end: int) -> NoReturn:
        """Raise an error that says why the broker gives nothing more.

        If the broker is away, asking for the end raises an error, and the caller tries again.
        """
        if (committed := self.end(partition)) <= reached:
            msg = (
                f"topic {self._topic!r} partition {partition} gives no records from offset "
                f"{committed} on, but {end} was to be reached: a transaction that began there is "
                "still open; `kafka-transactions.sh --bootstrap-server HOST:PORT find-hanging "
                "--broker-id ID` finds it, and `abort` ends it"
            )
            raise BrokerError(msg)
        raise stuck(self._topic, partition, reached, committed)

    def _at(self, partition: int) -> Any:
        from kafka import TopicPartition

        return TopicPartition(self._topic, partition)
