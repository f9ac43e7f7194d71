"""Fakes for tests of joining: log in memory, growing catalogue, producer and snapshots."""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from mainstem.behaviour import Hour
from mainstem.events import Event, Item, Tick, decode, encode
from mainstem.join import Joiner, LedgerRow, Output, Rejection, Sample, Snapshot, digest_of
from mainstem.kafka import Record
from mainstem.kafka.hours import decode_hour
from mainstem.kafka.messages import decode_ledger, decode_rejection, decode_samples
from mainstem.settings import Settings
from mainstem.streams.hours import Hours
from mainstem.streams.joining import JoinWorker
from mainstem.streams.outbox import Message
from mainstem.streams.snapshots import Snapshots
from tests.join.shop import KEY, NAMES, click, purchase, search, shelf, short, view

Told = list[tuple[Any, ...]]
"""What happened, in order."""


@dataclass
class Log:
    """Partitions in memory, as a direct reader gives them.

    Attributes:
        values: records of each partition; None is an offset without a record.
        firsts: oldest offset of each partition, 0 if it is not listed.
        stands: committed offset of each partition, for partitions that have one.
        most: largest number of offsets that one read returns.
    """

    values: dict[int, list[bytes | None]]
    firsts: dict[int, int] = field(default_factory=dict)
    stands: dict[int, int] = field(default_factory=dict)
    most: int = 17

    def partitions(self) -> list[int]:
        """Return the numbers of the partitions."""
        return sorted(self.values)

    def first(self, partition: int) -> int:
        """Return the oldest offset that the partition still has."""
        return self.firsts.get(partition, 0)

    def end(self, partition: int) -> int:
        """Return the offset of the next record."""
        return self.first(partition) + len(self.values[partition])

    def committed(self, partition: int) -> int | None:
        """Return the committed offset of the group."""
        return self.stands.get(partition)

    def read(self, partition: int, first: int, end: int, most: int = 1000) -> list[Record]:
        """Return records from some offsets, including offsets without a record."""
        assert self.first(partition) <= first < end <= self.end(partition)
        end = min(end, first + min(most, self.most))
        return [
            Record(offset, self.values[partition][offset - self.first(partition)])
            for offset in range(first, end)
        ]

    def delivered(self, partition: int, first: int, end: int) -> list[Record]:
        """Return the records that Faust delivers between two offsets."""
        found = [
            self.values[partition][offset - self.first(partition)] for offset in range(first, end)
        ]
        return [
            Record(offset, value)
            for offset, value in zip(range(first, end), found, strict=True)
            if value is not None
        ]


class FakeItems:
    """A catalogue whose new items become known when it is read to its end."""

    def __init__(self, told: Told) -> None:
        self.catalogue = shelf(*NAMES)
        self.coming: list[Item] = []
        self._told = told

    def read_to_end(self) -> None:
        """Learn the new items."""
        for item in self.coming:
            self.catalogue.add(item)
        self.coming = []
        self._told.append(("items",))


class FakeSend:
    """A producer that delivers a record some turns of the event loop after it was sent."""

    def __init__(self, told: Told, turns: int = 3) -> None:
        self.records: list[tuple[str, bytes | None, bytes, int]] = []
        self.delivered = 0
        self.interrupt: Callable[[int], None] = lambda sent: None  # noqa: ARG005
        self._told, self._turns = told, turns

    async def __call__(self, messages: Sequence[Message]) -> None:
        """Hand records to the broker and wait until they are delivered."""
        for topic, partition, key, value in messages:
            self.records.append((topic, key, value, partition))
            self._told.append(("sent", topic))
            self.interrupt(len(self.records))
        for _ in range(self._turns):
            await asyncio.sleep(0)
        self.delivered += len(messages)

    def samples(self) -> list[Sample]:
        """Return the sent samples in order."""
        return [
            sample
            for topic, _, value, _ in self.records
            if topic == "samples"
            for sample in decode_samples(value)
        ]

    def rows(self) -> list[LedgerRow]:
        """Return the sent ledger rows."""
        return [decode_ledger(value) for topic, _, value, _ in self.records if topic == "ledger"]

    def rejections(self) -> list[Rejection]:
        """Return the sent rejections."""
        return [
            decode_rejection(value) for topic, _, value, _ in self.records if topic == "rejected"
        ]

    def hours(self, partition: int) -> list[Hour]:
        """Return the hours of a partition that count for a reader of topic `counts`."""
        reader = Hours()
        reader.own(partition, None)
        values = [
            value for topic, _, value, to in self.records if topic == "counts" and to == partition
        ]
        read = (
            reader.take(FakeRecord(partition, offset, value), decode_hour(value))
            for offset, value in enumerate(values)
        )
        return [hour for hour in read if hour]


class FakeRecord(NamedTuple):
    """A record as kafka-python gives it."""

    partition: int
    offset: int
    value: bytes | None


class WatchedSnapshots(Snapshots):
    """Real snapshots that record each save and the number of records delivered by then."""

    def __init__(self, folder: Path, settings: Settings, told: Told, send: FakeSend) -> None:
        super().__init__(f"file://{folder}", "shop", settings)
        self._told, self._send = told, send

    def save(self, snapshot: Snapshot) -> None:
        """Record the save and write the snapshot."""
        self._told.append(("saved", snapshot, self._send.delivered))
        super().save(snapshot)


@dataclass
class Bench:
    """A worker with fakes around it and real snapshots."""

    settings: Settings
    log: Log
    folder: Path
    told: Told = field(default_factory=list)

    def __post_init__(self) -> None:
        self.items, self.send = FakeItems(self.told), FakeSend(self.told)
        self.snapshots = WatchedSnapshots(self.folder, self.settings, self.told, self.send)
        self.worker = JoinWorker(
            self.settings, KEY, self.items, self.snapshots, self.log, self.send
        )


def shop_log(
    chance: random.Random, partitions: int, size: int, *, tick: bool = True, jump: int = 0
) -> Log:
    """Make a log of shoppers with malformed lines, empty offsets and a tick at the end.

    The event time jumps by `jump` milliseconds after every twenty events.
    """
    values: dict[int, list[bytes | None]] = {}
    for partition in range(partitions):
        time, lines = 0, list[bytes | None]()
        for number in range(size):
            time += chance.randrange(12) + (jump if number % 20 == 19 else 0)
            lines.append(
                _line(
                    chance, f"{partition}-{number}", time, f"user-{partition}-{chance.randrange(3)}"
                )
            )
        if tick:
            lines.append(encode(Tick(event_timestamp=time + 10_000)))
        values[partition] = lines
    return Log(values)


def _line(chance: random.Random, name: str, time: int, user: str) -> bytes | None:
    kind = chance.random()
    if kind < 0.04:
        return None
    if kind < 0.08:
        return b"bad " + name.encode()
    time += chance.randrange(8)
    item = chance.choice(NAMES)
    made: Event = chance.choice([view, view, click, purchase])(f"e-{name}", time, item)
    if kind > 0.9:
        made = search(f"e-{name}", time, item)
    return encode(msgspec.structs.replace(made, user_id=user))


@dataclass
class Joined:
    """The samples, rejections, ledger and hours that any worker must make from a partition."""

    samples: list[Sample]
    rejections: list[Rejection]
    row: LedgerRow
    hours: list[Hour]


def plainly(log: Log, partition: int, items: Any = None, **more: Any) -> Joined:
    """Join a partition with a plain joiner."""
    joiner = Joiner(partition, short(**more), items or shelf(*NAMES), KEY)
    joiner.begin_at(log.first(partition))
    outputs: list[Output] = []
    for offset, value in enumerate(log.values[partition], start=log.first(partition)):
        outputs += joiner.step(offset, None if value is None else decode(value))
    return Joined(
        [output for output in outputs if isinstance(output, Sample)],
        [output for output in outputs if isinstance(output, Rejection)],
        joiner.ledger_row(),
        [output for output in outputs if isinstance(output, Hour)],
    )


def as_stored(samples: list[Sample]) -> set[tuple[UUID, int, str]]:
    """Return each sample once for each version of its label, as a history stores it."""
    return {(sample.sample_id, sample.label_version, digest_of(sample)) for sample in samples}
