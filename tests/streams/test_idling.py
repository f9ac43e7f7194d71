"""An idle partition is ticked by the event time of the others, and never by a clock."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mainstem.behaviour import HOUR
from mainstem.events import Tick, decode, encode
from mainstem.join import Joiner
from mainstem.kafka import Broker, DirectReader
from mainstem.streams.idling import Idle
from mainstem.streams.outbox import Message, Outbox
from tests.join.shop import joiner, short, view
from tests.kafka.topic import produce, read_all
from tests.streams.fakes import Bench, Log

SETTINGS = short(partitions=3, grace=10)


class Stack:
    """Workers with looks over one log. Each partition belongs to one of them.

    Args:
        folder: folder of the snapshots.
        owned: partitions of each worker.
    """

    def __init__(self, folder: Path, *owned: set[int]) -> None:
        self.log = Log({partition: [] for partition in range(3)})
        self.workers = [Bench(SETTINGS, self.log, folder) for _ in owned]
        self.looks = [
            Idle(one.worker, self.log, self._send, SETTINGS.join.grace) for one in self.workers
        ]
        self._owned = owned
        for one, partitions in zip(self.workers, owned, strict=True):
            one.worker.own(partitions)

    async def _send(self, messages: Sequence[Message]) -> None:
        for topic, partition, _, value in messages:
            assert topic == "events"
            self.log.values[partition].append(value)

    def happen(self, partition: int, *times: int) -> None:
        """Append an event of each event time to a partition."""
        for time in times:
            event = view(f"e{partition}-{time}", time, "cup")
            self.log.values[partition].append(encode(event))

    async def join(self, *partitions: int) -> None:
        """Join partitions to their ends, and commit."""
        for one, owned in zip(self.workers, self._owned, strict=True):
            for partition in sorted(owned & set(partitions)):
                await one.worker.catch_up(partition, self.log.end(partition))
                self.log.stands[partition] = self.log.end(partition)

    async def look(self) -> None:
        """Let every worker look once."""
        for look in self.looks:
            await look.look()

    def ticks(self, partition: int) -> list[int]:
        """Return the event times of the ticks in a partition."""
        events = [decode(value or b"") for value in self.log.values[partition]]
        return [event.event_timestamp for event in events if isinstance(event, Tick)]


def test_an_idle_partition_is_ticked_with_the_smallest_time_of_the_others(tmp_path: Path) -> None:
    """The tick has the smallest newest event time of the partitions that are not idle."""
    stack = Stack(tmp_path, {0, 1, 2})

    async def run() -> None:
        stack.happen(0, 5)
        for hour in (1, 2, 3):
            stack.happen(1, hour * HOUR + 100)
            stack.happen(2, hour * HOUR + 50)
            await stack.join(0, 1, 2)
            await stack.look()

    asyncio.run(run())
    assert [2 * HOUR + 50] == stack.ticks(0)  # the third look finds the tick of the second
    assert ([], []) == (stack.ticks(1), stack.ticks(2))
    assert {0: 1} == stack.looks[0].ticks


def test_while_all_are_idle_nothing_moves(tmp_path: Path) -> None:
    """Looks without new events send nothing more, however many there are."""
    stack = Stack(tmp_path, {0, 1}, {2})

    async def run() -> None:
        stack.happen(0, 5)
        stack.happen(1, 7)
        stack.happen(2, 5 * HOUR)
        await stack.join(0, 1, 2)
        for _ in range(4):
            await stack.look()
            await stack.join(0, 1, 2)
        before = [list(values) for values in stack.log.values.values()]
        for _ in range(10):
            await stack.look()
            await stack.join(0, 1, 2)
        assert before == list(stack.log.values.values())

    asyncio.run(run())
    assert all(time <= 5 * HOUR for partition in range(3) for time in stack.ticks(partition))


def test_a_partition_of_another_worker_counts_as_far_as_it_is_joined(tmp_path: Path) -> None:
    """Another worker's partition is known by the records before its commit, not by its end."""
    stack = Stack(tmp_path, {0}, {1, 2})

    async def run() -> None:
        stack.happen(0, 5)
        stack.happen(1, HOUR + 20, HOUR + 15)
        stack.happen(2, 9 * HOUR)
        await stack.join(0, 1, 2)
        await stack.look()
        stack.happen(1, 7 * HOUR)  # nobody has joined this
        stack.happen(2, 10 * HOUR)
        await stack.join(2)
        await stack.look()

    asyncio.run(run())
    assert [HOUR + 20] == stack.ticks(0)


def test_a_partition_without_any_event_is_ticked(tmp_path: Path) -> None:
    """A partition in which nothing has ever happened closes its hours, too."""
    stack = Stack(tmp_path, {0}, {1}, {2})

    async def run() -> None:
        for hour in (1, 2):
            stack.happen(1, hour * HOUR + 30)
            stack.happen(2, hour * HOUR + 40)
            await stack.join(0, 1, 2)
            await stack.look()

    asyncio.run(run())
    assert [2 * HOUR + 30] == stack.ticks(0)


def test_a_tick_that_closes_no_hour_is_not_sent(tmp_path: Path) -> None:
    """Within an hour of event time, an idle partition is ticked once."""
    stack = Stack(tmp_path, {0, 1, 2})

    async def run() -> None:
        stack.happen(0, 5)
        for number in range(20):
            stack.happen(1, HOUR + 100 * number + 10)
            stack.happen(2, HOUR + 100 * number + 11)
            await stack.join(0, 1, 2)
            await stack.look()

    asyncio.run(run())
    assert [HOUR + 110] == stack.ticks(0)


def test_a_partition_that_is_not_joined_to_its_end_is_not_idle(tmp_path: Path) -> None:
    """A partition whose last event is not joined is not ticked, however still it is."""
    stack = Stack(tmp_path, {0, 1, 2})

    async def run() -> None:
        stack.happen(0, 5)
        await stack.join(0)
        stack.happen(0, 6)
        for hour in (1, 2, 3):
            stack.happen(1, hour * HOUR)
            stack.happen(2, hour * HOUR)
            await stack.join(1, 2)
            await stack.look()

    asyncio.run(run())
    assert [] == stack.ticks(0)


def test_what_a_joiner_refuses_moves_no_time(tmp_path: Path) -> None:
    """Malformed records before a commit say nothing of time, and then nothing is ticked."""
    stack = Stack(tmp_path, {0}, {1, 2})

    async def run() -> None:
        stack.happen(0, 5)
        for number in range(3):
            stack.log.values[1] += [b"bad", b'{"type":"item"}', None]
            stack.happen(2, number * HOUR)
            await stack.join(0, 1, 2)
            await stack.look()

    asyncio.run(run())
    assert [] == stack.ticks(0)


class Alone:
    """A worker of one partition, which asks a real broker."""

    def __init__(self, joiner: Joiner) -> None:
        self.joiners = {joiner.partition: joiner}

    async def ask(self, action: Callable[..., Any], *arguments: Any) -> Any:
        """Run an action."""
        return action(*arguments)


def test_a_broker_tells_what_an_idle_partition_needs_to_know(broker: Broker) -> None:
    """By the broker's ends, commits and records, partition 0 is ticked as far as 1 is joined."""
    topic, group = broker.topic("events"), broker.group("join")
    times = (HOUR + 5, HOUR + 4, 7 * HOUR)
    produce(broker, topic, [encode(view(f"e{time}", time, "cup")) for time in times], 1)
    commit(broker, topic, group, 1, 2)

    async def run(reader: DirectReader) -> None:
        outbox = Outbox(broker)
        idle = Idle(Alone(joiner(grace=10)), reader, outbox, 10)
        for _ in range(3):
            await idle.look()
        await outbox.stop()

    with DirectReader(broker, topic, group) as reader:
        asyncio.run(run(reader))
    found = read_all(broker, "events")
    assert [HOUR + 5] == [decode(value).event_timestamp for value in found[0]]
    assert (3, []) == (len(found[1]), found[2])


def commit(broker: Broker, topic: str, group: str, partition: int, offset: int) -> None:
    """Commit an offset of a group."""
    from kafka import KafkaConsumer, TopicPartition
    from kafka.structs import OffsetAndMetadata

    consumer = KafkaConsumer(**broker.options, group_id=group, enable_auto_commit=False)
    consumer.assign([TopicPartition(topic, partition)])
    consumer.commit({TopicPartition(topic, partition): OffsetAndMetadata(offset, "", -1)})
    consumer.close()
