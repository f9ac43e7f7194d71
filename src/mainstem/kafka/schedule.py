"""Topic `schedule`: the order in which samples were accepted, and the turns and rounds between.

Who writes what, each before it commits or goes on:

    scoring worker   accepted   samples at their positions; before their offsets are committed
                     turn       once the history has it, before what it says is done
                     scale      once a version has scored
    learner          draw, round   after a round, before the next one begins

Records are keyed, and the later record of a key holds. A worker that takes over from a dead one
writes the same positions again, and overwrites the interrupted turn with the part of it that was
done. So the topic can be compacted, and needs no transactions.
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
        broker: the Kafka cluster.
        producer: a producer of kafka-python.
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
            # subtle: of what was sent together with the failed record, anything may be lost
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
        broker: the Kafka cluster.
    """

    def __init__(self, broker: Broker) -> None:
        self._name = broker.topic("schedule")
        self._reader = DirectReader(broker, self._name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.close()

    def read(self) -> RecordedSchedule:
        """Read all partitions to their ends as of now.

        Raises:
            LogError: if the topic is empty, or lacks something.
            BrokerError: if there is no such topic, or it cannot be read.
        """
        # subtle: partition 0 holds the rounds and is read last, so that the round of every version
        # that a turn names is there
        partitions = sorted(self._reader.partitions(), reverse=True)
        found = RecordedSchedule.of_records(
            (record for one in partitions for record in self._records(one)), f"topic {self._name!r}"
        )
        if not found.turns:
            msg = (
                f"topic {self._name!r} holds no schedule yet: no scoring worker of this deployment "
                "has begun; start one (`mainstem train score`) and replay a log into it "
                "(`mainstem stream replay`)"
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
