"""Topic `schedule`: the order in which samples were accepted, and what programs did in between.

Each program writes its records before it commits or goes on:

    scoring worker   accepted      samples at their positions, before their offsets are committed
                     turn          a turn that the history has, before the worker does what it says
                     scale         the scale of a version, after the version has scored
    learner          draw, round   what a round did, before the next round begins

Every record has a key, and the last record of a key holds. A worker that does its work again after
a crash writes the same positions again, and shortens the turn that was interrupted. So the topic
can be compacted and needs no transactions.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Self

import msgspec

from mainstem.errors import LogError
from mainstem.kafka.broker import Broker
from mainstem.kafka.direct import DirectReader
from mainstem.kafka.messages import read_message
from mainstem.store.recorded_schedule import RecordedSchedule
from mainstem.store.schedule_records import (
    ScheduleRecord,
    decode_record,
    key_of,
    partition_of,
)

__all__ = ["ScheduleTopic", "ScheduleWriter"]


class ScheduleWriter:
    """Writes records of a schedule.

    Args:
        broker: broker of the topic.
        producer: producer of kafka-python.
    """

    def __init__(self, broker: Broker, producer: Any) -> None:
        self._topic, self._producer = broker.topic("schedule"), producer
        self._waiting: list[ScheduleRecord] = []  # not known to be delivered
        self._sent: list[Any] = []
        self._failed = False  # whether the last `delivered` raised

    def write(self, records: Iterable[ScheduleRecord]) -> None:
        """Send records; `delivered` returns once the broker has them."""
        some = list(records)
        self._waiting += some
        self._send(some)

    def delivered(self) -> None:
        """Return once the broker has everything that was written; raise what a send raised.

        It may be called again after an error, and then sends everything again.
        """
        if not self._waiting:
            return
        if self._failed:
            # subtle: any record that was sent with the failed one may be lost, so send all again
            self._sent.clear()
            self._send(self._waiting)
        self._failed = True
        self._producer.flush()
        for one in self._sent:
            one.get(timeout=60)
        self._failed = False
        self._waiting.clear()
        self._sent.clear()

    def _send(self, records: Iterable[ScheduleRecord]) -> None:
        for one in records:
            to = {"key": key_of(one).encode(), "partition": partition_of(one)}
            self._sent.append(self._producer.send(self._topic, msgspec.json.encode(one), **to))


class ScheduleTopic:
    """Reads the schedule of a deployment.

    Args:
        broker: broker of the topic.
    """

    def __init__(self, broker: Broker) -> None:
        self._name = broker.topic("schedule")
        self._reader = DirectReader(broker, self._name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.close()

    def read(self) -> RecordedSchedule:
        """Read all partitions up to their current ends.

        Raises:
            LogError: if the topic is empty, or lacks part of a schedule.
            BrokerError: if the topic does not exist or cannot be read.
        """
        # subtle: partition 0 holds the rounds and is read last, so that it holds the round of every
        # version that a turn of another partition names
        partitions = sorted(self._reader.partitions(), reverse=True)
        records = (record for one in partitions for record in self._records(one))
        found = RecordedSchedule.of_records(records, f"topic {self._name!r}")
        if not found.turns:
            msg = (
                f"topic {self._name!r} holds no schedule yet, because no scoring worker of this "
                "deployment has begun; start one (`mainstem train score`) and replay a log into "
                "the deployment (`mainstem stream replay`)"
            )
            raise LogError(msg)
        return found

    def _records(self, partition: int) -> Iterator[ScheduleRecord]:
        at, end = self._reader.first(partition), self._reader.end(partition)
        while at < end:
            for offset, value in self._reader.read(partition, at, end):
                at = offset + 1
                where = f"{self._name}/{partition} at {offset}"
                if value and (record := read_message(value, decode_record, where)):
                    yield record
