"""The door before a joiner: every record passes once, in offset order, whatever Faust delivers.

When partitions change hands, Faust skips some records and delivers others twice. The door reads
skipped records directly from the broker before it lets later ones pass, and drops repeated ones.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from mainstem.kafka import Record

__all__ = ["Door", "Read"]

Read = Callable[[int, int], Awaitable[list[Record]]]
"""Reads offsets from `first` up to `end` directly from the broker.

It may stop early, but it gives every offset up to there, including those that hold no record.
"""


class Door:
    """The door of one partition.

    Args:
        next_offset: offset of the first record that may pass.
        read: reads records that were not delivered.

    Attributes:
        next_offset: offset of the record that passes next.
        filled: number of offsets read directly so far.
        dropped: number of repeated records dropped so far.

    Example:
        >>> import asyncio
        >>> async def read(first, end):
        ...     return [Record(offset, b"read") for offset in range(first, end)]
        >>> async def passed(door, records):
        ...     return [record.offset async for batch in door.through(records) for record in batch]
        >>> delivered = [Record(offset, b"") for offset in (0, 1, 3, 3)]
        >>> asyncio.run(passed(Door(1, read), delivered))
        [1, 2, 3]
    """

    def __init__(self, next_offset: int, read: Read) -> None:
        self.next_offset = next_offset
        self.filled = self.dropped = 0
        self._read = read

    async def through(self, records: Sequence[Record]) -> AsyncIterator[list[Record]]:
        """Turn delivered records into batches without gaps or repeats."""
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
        """Read batches directly, up to an offset.

        Raises:
            RuntimeError: if a direct read leaves out an offset.
        """
        while self.next_offset < end:
            records = await self._read(self.next_offset, end)
            offsets = [record.offset for record in records]
            whole = list(range(self.next_offset, self.next_offset + len(offsets)))
            if not offsets or offsets != whole:
                msg = (
                    f"a direct read from {self.next_offset} to {end} must leave out no offset; "
                    f"it gave {offsets[:3]}…"
                )
                raise RuntimeError(msg)
            self.filled += len(records)
            yield self._passed(records)

    def _passed(self, batch: list[Record]) -> list[Record]:
        self.next_offset += len(batch)
        return batch
