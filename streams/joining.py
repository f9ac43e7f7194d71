"""Joining behind Faust: what was delivered goes through the doors, is folded, and its outputs are sent.

All decisions are the joiners'. A partition that arrives is loaded from its newest snapshot and caught up by direct reads;
one that leaves is forgotten. A snapshot is taken at multiples of an offset, after the outputs up to there were delivered.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeVar

from mainstem.errors import SettingError
from mainstem.events import decode
from mainstem.join import Joiner, LedgerRow, Output, Rejection, Sample, Snapshot
from mainstem.join.route import partition_of_question
from mainstem.kafka import DirectReader, Record
from mainstem.kafka.messages import encode, questions_of
from mainstem.kafka.outages import patiently
from mainstem.settings import Settings

from .door import Door
from .items import ItemsReader
from .outbox import Message, Send
from .snapshots import Snapshots

__all__ = ["JoinWorker", "Loaded"]

_MANY: Final = 20_000  # outputs that are held back at most
_T = TypeVar("_T")


class Loaded(NamedTuple):
    """A joiner and the door before it: they stand at the same offset."""

    joiner: Joiner
    door: Door


@dataclass
class _Made:
    """What was made of events and is not delivered yet, and snapshots that may be saved once it is."""

    outputs: list[Output] = field(default_factory=list)
    snapshots: list[Snapshot] = field(default_factory=list)


class JoinWorker:
    """The joiners of the partitions that this worker owns.

    Args:
        settings: of the join.
        key: secret of the pseudonyms.
        items: the catalogue.
        snapshots: where joiners are kept.
        reader: of topic `events`, with the group whose commits say where Faust goes on.
        send: gives records to the broker.
    """

    def __init__(
        self,
        settings: Settings,
        key: bytes,
        items: ItemsReader,
        snapshots: Snapshots,
        reader: DirectReader,
        send: Send,
    ) -> None:
        self.owned: frozenset[int] = frozenset()
        self.loaded: dict[int, Loaded] = {}
        self.events = self.taken = self.rebalances = (
            0  # offsets joined, snapshots taken, times the group settled anew
        )
        self._filled = self._dropped = 0  # by doors that are no more
        self._settings, self._key, self._items, self._snapshots = settings, key, items, snapshots
        self._reader, self._send = reader, send
        self._lock = asyncio.Lock()
        self._pool = ThreadPoolExecutor(1)  # kafka-python, one thing at a time
        self._files = ThreadPoolExecutor(1)  # snapshots, in their order
        self._delivery: asyncio.Future[Any] | None = (
            None  # the last one; they follow each other, so that order is kept
        )
        self._saving: asyncio.Future[Any] | None = None

    def own(self, partitions: Iterable[int]) -> None:
        """The group has settled anew: these partitions are ours from now on, and nothing is known of them."""
        self.disown()
        self.owned = frozenset(partitions)
        self.rebalances += 1

    def disown(self) -> None:
        """Nothing is ours until the group has settled."""
        self._filled, self._dropped = self.filled, self.dropped
        self.owned, self.loaded = frozenset(), {}

    @property
    def filled(self) -> int:
        """Offsets that were read directly, so far."""
        return self._filled + sum(loaded.door.filled for loaded in self.loaded.values())

    @property
    def dropped(self) -> int:
        """Records that were delivered again, so far."""
        return self._dropped + sum(loaded.door.dropped for loaded in self.loaded.values())

    async def take(self, delivered: Mapping[int, list[Record]]) -> set[int]:
        """Join what was delivered and send what follows; gives the partitions that are done: those that are ours."""
        mine, delivery = await self.begin(delivered)
        await delivery
        return mine

    async def begin(
        self, delivered: Mapping[int, list[Record]]
    ) -> tuple[set[int], asyncio.Future[Any]]:
        """The same, but the outputs are still on their way: the next batch may be joined meanwhile, not delivered."""
        async with self._lock:
            reading = asyncio.ensure_future(self._do(self._items.read_to_end))
            await _over(self._delivery)
            await reading
            mine = [partition for partition in sorted(delivered) if partition in self.owned]
            made = _Made()
            for partition in mine:
                loaded = await self._load(partition)
                async for batch in loaded.door.through(delivered[partition]):
                    self._join(loaded.joiner, batch, made)
                    if len(made.outputs) > _MANY:  # direct reads after a long absence
                        made = await self._finish(made)
            self._delivery = asyncio.ensure_future(self._finish(made))  # of all partitions together
            return set(mine), self._delivery

    async def catch_up(self, partition: int, end: int | None = None) -> None:
        """Read on directly, to `end`, or to where the group stands: a loaded partition may get no new event for long."""
        async with self._lock:
            if partition not in self.owned:
                return
            await _over(self._delivery)
            await self._do(self._items.read_to_end)
            loaded = await self._load(partition)
            async for batch in loaded.door.until(
                await self._goal(partition) if end is None else end
            ):
                made = _Made()
                self._join(loaded.joiner, batch, made)
                await self._finish(made)

    async def _goal(self, partition: int) -> int:
        """Where the group stands, or the end where that is less: offsets of an open transaction cannot be read yet."""
        committed = await self._do(self._reader.committed, partition)
        return (
            0 if committed is None else min(committed, await self._do(self._reader.end, partition))
        )

    async def saved(self) -> None:
        """Wait until the snapshots on their way are saved: the end of the event loop would drop them."""
        await _over(self._saving)

    async def lag(self) -> dict[int, int]:
        """Events behind the end, of each partition that is ours; of one that is not loaded, all of them."""
        ends = {
            partition: await self._do(self._reader.end, partition)
            for partition in sorted(self.owned)
        }
        return {
            partition: end
            - (self.loaded[partition].door.next_offset if partition in self.loaded else 0)
            for partition, end in ends.items()
        }

    async def held_back(self) -> dict[str, int]:
        """Offsets that wait for an open transaction, of each of our partitions, and of the catalogue, that has some."""
        counts = {
            f"events/{place}": await self._do(self._reader.held_back, place)
            for place in sorted(self.owned)
        }
        counts |= await self._do(self._items.held_back)
        return {place: count for place, count in counts.items() if count}

    async def _load(self, partition: int) -> Loaded:
        if partition not in self.loaded:
            joiner = Joiner(partition, self._settings, self._items.catalogue, self._key)
            if snapshot := await self._do(self._snapshots.newest, partition):
                _refuse_foreign(snapshot, await self._do(self._reader.end, partition))
                joiner.restore(snapshot)
            else:
                joiner.begin_at(await self._do(self._reader.first, partition))

            async def read(first: int, end: int) -> list[Record]:
                return await self._do(self._reader.read, partition, first, end)

            self.loaded[partition] = Loaded(joiner, Door(joiner.next_offset, read))
        return self.loaded[partition]

    def _join(self, joiner: Joiner, batch: list[Record], made: "_Made") -> None:
        """Fold a batch."""
        for offset, value in batch:
            made.outputs += joiner.step(offset, None if value is None else decode(value))
            if joiner.next_offset % self._settings.run.snapshot_every == 0:
                made.snapshots.append(joiner.snapshot())
        made.outputs.append(joiner.ledger_row())
        self.events += len(batch)

    async def _finish(self, made: "_Made") -> "_Made":
        """Deliver what was made, then save the snapshots on the way: nothing they cover is missing by now."""
        await self._deliver(made.outputs)
        if made.snapshots:
            await _over(
                self._saving
            )  # a snapshot that could not be saved ends the process here at the latest
            self._saving = asyncio.ensure_future(self._save(made.snapshots))
        return _Made()

    async def _save(self, snapshots: list[Snapshot]) -> None:
        for snapshot in snapshots:
            await self._do(self._snapshots.save, snapshot, pool=self._files)
            self.taken += 1

    async def _deliver(self, outputs: list[Output]) -> None:
        """Send everything, then wait until the broker has all of it."""
        messages: list[Message] = []
        samples = [output for output in outputs if isinstance(output, Sample)]
        for question_id, together in questions_of(samples):
            place = partition_of_question(question_id, self._settings.join.partitions)
            messages.append(Message("samples", place, question_id.bytes, encode(together)))
        for output in outputs:
            if isinstance(output, LedgerRow | Rejection):
                topic = "ledger" if isinstance(output, LedgerRow) else "rejected"
                messages.append(
                    Message(topic, 0, f"{output.topic}-{output.partition}".encode(), encode(output))
                )
        if messages:
            await self._send(messages)

    async def _do(
        self, action: Callable[..., _T], *arguments: Any, pool: ThreadPoolExecutor | None = None
    ) -> _T:
        """Run something that blocks, patiently, without blocking the loop."""

        def run() -> _T:
            return patiently(action, *arguments)

        return await asyncio.get_running_loop().run_in_executor(pool or self._pool, run)


def _refuse_foreign(snapshot: Snapshot, end: int) -> None:
    if snapshot.next_offset > end:
        msg = (
            f"the snapshot of partition {snapshot.partition} stands at offset {snapshot.next_offset:,}, and the topic "
            f"ends at {end:,}: it is of another cluster, or the topic was made anew; give other snapshots "
            "(MAINSTEM_SNAPSHOTS) or another prefix"
        )
        raise SettingError(msg)


async def _over(before: asyncio.Future[Any] | None) -> None:
    """Wait until something earlier is done; raise what it raised."""
    if before is not None:
        await before
