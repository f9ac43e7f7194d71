"""Topic `schedule` on a real broker is read as it was written, and refused if it is empty."""

from collections.abc import Iterator
from typing import Any

import pytest

from mainstem.bootstrap import open_producer, open_schedule
from mainstem.errors import BrokerError, LogError
from mainstem.kafka import Broker
from mainstem.kafka.schedule import ScheduleWriter
from mainstem.store.recorded_schedule import RecordedSchedule
from mainstem.store.schedule_records import turn_blocks
from mainstem.store.turns import TAKE_OVER, Turn
from tests.kafka.topic import make, produce
from tests.store.test_schedule_records import SCHEDULE


@pytest.fixture
def broker(events_url: str) -> Broker:
    """A broker with an empty topic."""
    found = Broker.parse(events_url)
    make(found, "schedule", partitions=2, **{"cleanup.policy": "compact"})
    return found


@pytest.fixture
def producer(broker: Broker) -> Iterator[Any]:
    """The producer that programs send with."""
    made = open_producer(broker, linger_ms=20)
    yield made
    made.close()


def test_what_is_written_is_read(broker: Broker, producer: Any, events_url: str) -> None:
    """A schedule in two partitions, written twice, is read without foreign records."""
    writer = ScheduleWriter(broker, producer)
    for _ in range(2):
        writer.write(SCHEDULE.records())
        writer.delivered()
    produce(broker, broker.topic("schedule"), [b"not ours", None])
    assert SCHEDULE == open_schedule(events_url)
    writer.write(turn_blocks(Turn(1, 2, 7, 2, TAKE_OVER, [])))
    writer.delivered()
    assert [0, 1, 2] == open_schedule(events_url).versions


class Failing:
    """A producer that loses everything sent before its first flush."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.flushed = False

    def send(self, _topic: str, value: bytes, **_: Any) -> "Failing":
        """Keep the record if it is not lost."""
        if self.flushed:
            self.sent.append(value)
        return self

    def flush(self) -> None:
        """Lose what was sent so far, if this is the first flush."""
        self.lost, self.flushed = not self.flushed, True

    def get(self, timeout: float) -> None:  # noqa: ARG002 - kafka-python's
        """Raise an error if the record was lost."""
        if self.lost:
            raise ConnectionResetError


def test_what_was_not_delivered_is_sent_again() -> None:
    """After an error the next delivery sends all records that were not delivered."""
    writer = ScheduleWriter(Broker.parse("kafka://nowhere"), producer := Failing())
    writer.write(SCHEDULE.records())
    with pytest.raises(ConnectionResetError):
        writer.delivered()
    turn = Turn(1, 2, 7, 2, TAKE_OVER, [])
    writer.write(turn_blocks(turn))
    writer.delivered()
    found = RecordedSchedule.of_lines(producer.sent, "sent")
    assert [*SCHEDULE.turns, turn] == found.turns
    assert SCHEDULE.accepted == found.accepted


@pytest.mark.usefixtures("broker")
def test_an_empty_topic_is_refused(events_url: str) -> None:
    """An empty topic is an error with the command that fills it."""
    with pytest.raises(
        LogError, match=r"\.schedule' holds no schedule yet, .*`mainstem train score"
    ):
        open_schedule(events_url)


def test_a_topic_that_is_not_there_is_refused(events_url: str) -> None:
    """The error for a missing topic has the command that makes it."""
    with pytest.raises(BrokerError, match=r"there is no topic '.*\.schedule'; `mainstem topics`"):
        open_schedule(events_url)
