"""Reading a partition directly, outside any consumer group: from one offset to another, and nothing else."""

from typing import Any, Final, NamedTuple, Self

from mainstem.errors import BrokerError
from mainstem.kafka.broker import Broker

__all__ = ["DirectReader", "Record"]

_POLL_MS: Final = 500
_ANSWER_MS: Final = 15_000  # a client that is not answered by then raises, and whoever asked tries again
_SILENT_POLLS: Final = 60


class Record(NamedTuple):
    """One offset of a partition. `value` is None where the offset holds no record (a transaction's marker)."""

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
        from kafka import KafkaConsumer  # noqa: PLC0415 - the library is read without it

        self._topic = topic
        self._consumer: Any = KafkaConsumer(
            **broker.options,
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="none",
            allow_auto_create_topics=False,
            max_partition_fetch_bytes=8 << 20,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connection."""
        self._consumer.close()

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
        """The offset that the next record will have."""
        at = self._at(partition)
        return int(self._consumer.end_offsets([at], timeout_ms=_ANSWER_MS)[at])

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
        reached = first
        while reached < end and len(records) < most:
            for found in self._consumer.poll(_POLL_MS, max_records=most).get(at, []):
                if found.offset >= end:
                    break
                records += [Record(offset, None) for offset in range(reached, found.offset)]
                records.append(Record(found.offset, found.value or b""))
                reached = found.offset + 1
            passed = min(self._consumer.position(at), end)
            records += [Record(offset, None) for offset in range(reached, passed)]
            reached = max(reached, passed)
        return records

    def _at(self, partition: int) -> Any:
        from kafka import TopicPartition  # noqa: PLC0415

        return TopicPartition(self._topic, partition)
