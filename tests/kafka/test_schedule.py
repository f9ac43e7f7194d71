"""Topic `schedule` on a real broker: what was written is read, and an empty one is refused."""

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
    """What programs send with."""
    made = open_producer(broker, linger_ms=20)
    yield made
    made.close()


def test_what_is_written_is_read(broker: Broker, producer: Any, events_url: str) -> None:
    """Of both partitions, twice over, with what somebody else wrote left out."""
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
    """A producer of which everything fails that is sent before the first flush."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.flushed = False

    def send(self, _topic: str, value: bytes, **_: Any) -> "Failing":
        """Keep it, if it arrives."""
        if self.flushed:
            self.sent.append(value)
        return self

    def flush(self) -> None:
        """From now on all is well, but for what was sent."""
        self.lost, self.flushed = not self.flushed, True

    def get(self, timeout: float) -> None:  # noqa: ARG002 - kafka-python's
        """Whether it has arrived."""
        if self.lost:
            raise ConnectionResetError


def test_what_was_not_delivered_is_sent_again() -> None:
    """Whoever tries again after an error sends also what others had waiting."""
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
    """In one line, with what to do."""
    with pytest.raises(
        LogError, match=r"\.schedule' holds no schedule yet, .*`mainstem train score"
    ):
        open_schedule(events_url)


def test_a_topic_that_is_not_there_is_refused(events_url: str) -> None:
    """With the command that makes it."""
    with pytest.raises(BrokerError, match=r"there is no topic '.*\.schedule'; `mainstem topics`"):
        open_schedule(events_url)
