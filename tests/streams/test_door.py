"""The door passes every offset once and in order, whatever is delivered to it."""

import asyncio
import random
from collections.abc import Collection
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mainstem.kafka import Record
from mainstem.streams.door import Door


@dataclass
class Log:
    """A partition that begins at any offset and has offsets without a record."""

    first: int
    values: list[bytes | None]
    most: int = 1000
    given_out: int = 0
    asked: list[tuple[int, int]] = field(default_factory=list)

    @property
    def end(self) -> int:
        """Return the offset of the next record."""
        return self.first + len(self.values)

    @property
    def records(self) -> list[Record]:
        """Return the records of all offsets."""
        return [Record(self.first + number, value) for number, value in enumerate(self.values)]

    async def read(self, first: int, end: int) -> list[Record]:
        """Return at most `most` records, as a direct read does."""
        self.asked.append((first, end))
        end = min(end, first + self.most)
        values = self.values[first - self.first : end - self.first]
        found = [
            Record(offset, value) for offset, value in zip(range(first, end), values, strict=True)
        ]
        self.given_out += len(found)
        return found

    def of(self, offsets: Collection[int]) -> list[Record]:
        """Return the records that Faust delivers at these offsets."""
        return [
            record
            for record in self.records
            if record.value is not None and record.offset in offsets
        ]


@st.composite
def cases(draw: st.DrawFn) -> tuple[Log, int, list[list[Record]]]:
    """Draw a log, the offset of the door, and deliveries with holes that may begin anywhere."""
    size = draw(st.integers(1, 40))
    empty = draw(st.sets(st.integers(0, size - 1), max_size=6))
    first = draw(st.integers(0, 5))
    log = Log(
        first,
        [None if number in empty else b"%d" % number for number in range(size)],
        most=draw(st.integers(1, 9)),
    )
    delivered = []
    for _ in range(draw(st.integers(0, 6))):
        begin = draw(st.integers(first, log.end - 1))
        run = range(begin, draw(st.integers(begin, log.end)))
        records = log.of(set(run) - draw(st.sets(st.integers(first, log.end), max_size=10)))
        # One batch may hold records fetched before and after partitions changed hands.
        if delivered and draw(st.booleans()):
            delivered[-1] += records
        else:
            delivered.append(records)
    return log, draw(st.integers(first, log.end)), delivered


async def through(
    door: Door, delivered: list[list[Record]], end: int | None = None
) -> list[Record]:
    """Return all records that pass the door, with a direct read up to `end` if it is given."""
    passed = [
        record
        for records in delivered
        for batch in [b async for b in door.through(records)]
        for record in batch
    ]
    if end is not None:
        passed += [record async for batch in door.until(end) for record in batch]
    return passed


@settings(deadline=None, max_examples=300)
@given(cases())
def test_every_offset_passes_once_and_in_order(case: tuple[Log, int, list[list[Record]]]) -> None:
    """Lost, repeated and disordered deliveries pass once and in order up to the last record."""
    log, begin, delivered = case
    door = Door(begin, log.read)
    passed = asyncio.run(through(door, delivered))
    end = max([begin, *(record.offset + 1 for records in delivered for record in records)])
    assert log.records[begin - log.first : end - log.first] == passed
    assert end == door.next_offset


@settings(deadline=None, max_examples=200)
@given(cases())
def test_the_counts_say_what_was_read_and_what_was_let_go(
    case: tuple[Log, int, list[list[Record]]],
) -> None:
    """Directly read records are `filled`, and delivered records either pass or are `dropped`."""
    log, begin, delivered = case
    door = Door(begin, log.read)
    passed = asyncio.run(through(door, delivered, log.end))
    assert log.records[begin - log.first :] == passed
    assert log.given_out == door.filled
    assert sum(map(len, delivered)) - door.dropped == len(passed) - door.filled
    empty = sum(1 for record in passed if record.value is None)
    assert empty <= door.filled


def test_nothing_is_read_where_nothing_was_left_out() -> None:
    """A complete delivery passes as it is, without a direct read."""
    log = Log(3, [b"a", b"b", b"c"])
    door = Door(3, log.read)
    assert log.records == asyncio.run(through(door, [log.records[:1], log.records[1:]], log.end))
    assert [] == log.asked
    assert (0, 0) == (door.filled, door.dropped)


def test_only_what_was_left_out_is_read() -> None:
    """A direct read covers a hole and nothing else."""
    log = Log(0, [b"%d" % number for number in range(10)])
    door = Door(0, log.read)
    asyncio.run(through(door, [log.records[:2], log.records[5:7]], 9))
    assert [(2, 5), (7, 9)] == log.asked
    assert (5, 0) == (door.filled, door.dropped)


@pytest.mark.parametrize("offsets", [[], [5], [4, 6], [4, 4], [5, 4], [3, 4]])
def test_a_direct_read_that_leaves_something_out_is_an_error(offsets: list[int]) -> None:
    """A direct read that omits, repeats or disorders an offset is an error and passes nothing."""

    async def read(first: int, end: int) -> list[Record]:  # noqa: ARG001
        return [Record(offset, b"") for offset in offsets]

    door = Door(4, read)
    with pytest.raises(RuntimeError, match="from 4 to 9 must leave out no offset"):
        asyncio.run(through(door, [[Record(9, b"")]]))
    assert (4, 0) == (door.next_offset, door.filled)


def test_the_offset_moves_when_a_batch_has_been_taken() -> None:
    """A reader that stops half-way leaves the door at the end of the last batch that it took."""
    log = Log(0, [b"%d" % number for number in range(6)])

    async def take_one() -> int:
        door = Door(0, log.read)
        async for _ in door.through([*log.records[:2], *log.records[4:]]):
            break
        return door.next_offset

    assert 2 == asyncio.run(take_one())


@pytest.mark.parametrize("share", [0.01, 0.03, 0.1, 0.3])
def test_the_door_earns_its_place(share: float) -> None:
    """A delivery that loses batches is complete behind the door and lacks records without it."""
    chance = random.Random(share)
    log = Log(0, [None if chance.random() < 0.01 else b"%d" % number for number in range(20_000)])
    records, delivered, at = log.records, [], 0
    while at < log.end:
        batch = records[at : (at := at + chance.randrange(1, 40))]
        if chance.random() >= share:
            delivered.append([record for record in batch if record.value is not None])
    assert log.records == asyncio.run(through(Door(0, log.read), delivered, log.end))

    written = {record for record in log.records if record.value is not None}
    without = {record for records in delivered for record in records}
    lost = len(written - without) / len(written)
    assert share / 3 < lost < share * 3
