"""Reading a partition directly, outside any consumer group: from one offset to another, and nothing else.

Only what was committed is read: the end is where the oldest open transaction begins, and a record of an aborted one is an
offset without a record, as its marker is.
"""

from typing import Any, Final, NamedTuple, NoReturn, Self

from mainstem.errors import BrokerError, StoppedError
from mainstem.kafka.broker import Broker
from mainstem.kafka.faults import decoded_poll, stuck
from mainstem.kafka.outages import ASKED

__all__ = ["DirectReader", "Record"]

_COMMITTED: Final = "read_committed"
_POLL_MS: Final = 500
_ANSWER_MS: Final = (
    15_000  # a client that is not answered by then raises, and whoever asked tries again
)
_SILENT_POLLS: Final = 60  # after as many the broker is asked whether anything can come


class Record(NamedTuple):
    """One offset of a partition.

    `value` is None where the offset holds no record: a transaction's marker, what was aborted, what compaction took.
    """

    offset: int
    value: bytes | None


class DirectReader:
    """Reads partitions of one topic. Not for several threads at once.

    Args:
        broker: where.
        topic: its full name.
        group: whose committed offsets `committed` tells.
    """

    def __init__(self, broker: Broker, topic: str, group: str | None = None) -> None:
        from kafka import KafkaConsumer  # the library is read without it

        self._topic = topic
        self._every: (
            Any  # a second client that sees also what is not committed, once it is asked for
        )
        self._consumer: Any = KafkaConsumer(
            **broker.options,
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="none",
            allow_auto_create_topics=False,
            isolation_level=_COMMITTED,
            max_partition_fetch_bytes=8 << 20,
        )
        self._broker, self._every = broker, None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connection."""
        self._consumer.close()
        if self._every is not None:
            self._every.close()

    def partitions(self) -> list[int]:
        """The partitions that the topic has.

        Raises:
            BrokerError: if there is no such topic.
        """
        found = self._consumer.partitions_for_topic(self._topic)
        if not found:
            msg = f"there is no topic {self._topic!r}; `mainstem topics` makes it"
            raise BrokerError(msg)
        return sorted(found)

    def first(self, partition: int) -> int:
        """The oldest offset that is still there."""
        at = self._at(partition)
        return int(self._consumer.beginning_offsets([at], timeout_ms=_ANSWER_MS)[at])

    def end(self, partition: int) -> int:
        """The offset that the next record will have; while a transaction is open, the offset where it began."""
        at = self._at(partition)
        return int(self._consumer.end_offsets([at], timeout_ms=_ANSWER_MS)[at])

    def held_back(self, partition: int) -> int:
        """Offsets beyond the end that wait for a transaction to be committed or aborted; 0 where none is open."""
        from kafka import KafkaConsumer

        end, at = self.end(partition), self._at(partition)
        if self._every is None:
            self._every = KafkaConsumer(
                **self._broker.options, enable_auto_commit=False, allow_auto_create_topics=False
            )
        return max(int(self._every.end_offsets([at], timeout_ms=_ANSWER_MS)[at]) - end, 0)

    def committed(self, partition: int) -> int | None:
        """Where the group stands; None where it never stood."""
        found = self._consumer.committed(self._at(partition), timeout_ms=_ANSWER_MS)
        return None if found is None else int(found)

    def read(self, partition: int, first: int, end: int, most: int = 1000) -> list[Record]:
        """Every offset in [first, end), or the first `most` or so of them; offsets without a record among them.

        Raises:
            BrokerError: if the broker has deleted some of them.
        """
        at = self._at(partition)
        if (oldest := self.first(partition)) > first:
            msg = (
                f"offsets {first} to {oldest - 1} of {self._topic!r} partition {partition} are gone: the broker "
                "deleted them before they were read; give the topic a longer retention, and begin a new deployment "
                "(another prefix), or restore them"
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
        """Say why nothing more comes; an absent broker says it by itself, and whoever asked tries again."""
        if (committed := self.end(partition)) <= reached:
            msg = (
                f"topic {self._topic!r} partition {partition} gives nothing from offset {committed} on, and {end} was to be "
                "reached: a transaction that began there is still open; `kafka-transactions.sh --bootstrap-server HOST:PORT "
                "find-hanging --broker-id ID` finds it, and `abort` ends it"
            )
            raise BrokerError(msg)
        raise stuck(self._topic, partition, reached, committed)

    def _at(self, partition: int) -> Any:
        from kafka import TopicPartition

        return TopicPartition(self._topic, partition)
