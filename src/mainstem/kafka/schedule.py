"""Topic `schedule`: the order in which samples were accepted, and what scoring workers and the learner did beside it.

Who writes what, each before it commits or goes on:

    scoring worker   accepted   samples at their positions; before their offsets are committed
                     turn       once the history has it, before what it says is done
                     scale      once a version has scored
    learner          draw, round   after a round, before the next one begins

Records are keyed, and the later record of a key holds: a worker that dies and does something again writes the same
positions again, and cuts the turn that was interrupted. So the topic can be compacted, and nothing in it is transactional.
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
        self._sent: list[Any] = []

    def write(self, records: Iterable[ScheduleRecord]) -> None:
        """Send records; `delivered` returns once the broker has them."""
        for one in records:
            to = {"key": key_of(one).encode(), "partition": partition_of(one)}
            self._sent.append(self._producer.send(self._topic, msgspec.json.encode(one), **to))

    def delivered(self) -> None:
        """Return once the broker has everything that was sent; raise what a send raised."""
        if not self._sent:
            return
        sent, self._sent = self._sent, []
        self._producer.flush()
        for one in sent:
            one.get(timeout=60)


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
        # subtle: partition 0 holds the rounds, and is read last: no turn that was read before names a version whose
        # round is not there yet
        partitions = sorted(self._reader.partitions(), reverse=True)
        found = RecordedSchedule.of_records(
            (record for one in partitions for record in self._records(one)), f"topic {self._name!r}"
        )
        if not found.turns:
            msg = (
                f"topic {self._name!r} holds no schedule yet: no scoring worker of this deployment has begun; "
                "start one (`mainstem train score`) and replay a log into it (`mainstem stream replay`)"
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
