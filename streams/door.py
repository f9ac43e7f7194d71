"""The door before a joiner: records pass in offset order, each once, none left out, whatever is delivered.

Faust skips records and delivers some twice when partitions change hands. What it leaves out is read directly from the
broker before anything beyond it passes; what comes again is let go.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from mainstem.kafka import Record

__all__ = ["Door", "Read"]

Read = Callable[[int, int], Awaitable[list[Record]]]
"""Reads offsets [first, end) directly, or the first so many of them: each offset, also those without a record."""


class Door:
    """The door of one partition.

    Args:
        next_offset: the offset that passes next.
        read: asked for what was left out.

    Attributes:
        next_offset: the same; it moves when a batch has been taken.
        filled, dropped: offsets read directly, and records let go, so far.

    Example:
        >>> import asyncio
        >>> async def read(first, end):
        ...     return [Record(offset, b"read") for offset in range(first, end)]
        >>> async def passed(door, records):
        ...     return [record.offset async for batch in door.through(records) for record in batch]
        >>> asyncio.run(passed(Door(1, read), [Record(0, b""), Record(1, b""), Record(3, b""), Record(3, b"")]))
        [1, 2, 3]
    """

    def __init__(self, next_offset: int, read: Read) -> None:
        self.next_offset = next_offset
        self.filled = self.dropped = 0
        self._read = read

    async def through(self, records: Sequence[Record]) -> AsyncIterator[list[Record]]:
        """Batches without holes or repeats out of what was delivered."""
        batch: list[Record] = []
        for record in records:
            if record.offset < self.next_offset + len(batch):
                self.dropped += 1
                continue
            if record.offset > self.next_offset + len(batch):
                if batch:
                    yield self._passed(batch)
                    batch = []
                async for missing in self.until(record.offset):
                    yield missing
            batch.append(record)
        if batch:
            yield self._passed(batch)

    async def until(self, end: int) -> AsyncIterator[list[Record]]:
        """Batches read directly, up to an offset."""
        while self.next_offset < end:
            records = await self._read(self.next_offset, end)
            offsets = [record.offset for record in records]
            if (
                offsets != list(range(self.next_offset, self.next_offset + len(offsets)))
                or not offsets
            ):
                msg = f"a direct read from {self.next_offset} to {end} gave offsets {offsets[:3]}…: it must leave none out"
                raise RuntimeError(msg)
            self.filled += len(records)
            yield self._passed(records)

    def _passed(self, batch: list[Record]) -> list[Record]:
        self.next_offset += len(batch)
        return batch
