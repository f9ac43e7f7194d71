"""The join worker passes delivered records through doors, folds them and sends the outputs.

When the group assigns a partition to the worker, the worker loads its joiner from the newest
snapshot and catches up by direct reads. When a partition goes to another worker, its joiner is
dropped. A snapshot is taken at every multiple of `snapshot_every` offsets, and is saved after the
outputs up to that offset were delivered.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeVar

from mainstem.behaviour import Hour
from mainstem.errors import SettingError
from mainstem.events import decode
from mainstem.join import Joiner, Output, Snapshot
from mainstem.kafka import DirectReader, Record
from mainstem.kafka.outages import patiently
from mainstem.settings import Settings

from .delivering import messages_of
from .door import Door
from .items import ItemsReader
from .outbox import Send
from .snapshots import Snapshots

__all__ = ["JoinWorker", "Loaded"]

_MANY: Final = 20_000  # with more outputs than this a worker delivers before it joins on
_T = TypeVar("_T")


class Loaded(NamedTuple):
    """A joiner and the door before it, both at the same offset."""

    joiner: Joiner
    door: Door


@dataclass
class _Made:
    """Outputs that are not delivered yet, and snapshots that may be saved once they are."""

    outputs: list[Output] = field(default_factory=list)
    snapshots: list[Snapshot] = field(default_factory=list)


class JoinWorker:
    """The joiners of the partitions that this worker owns.

    Args:
        settings: settings of the join.
        key: secret of the pseudonyms.
        items: reads the catalogue.
        snapshots: where snapshots of joiners are kept.
        reader: reader of topic `events`; it belongs to Faust's consumer group, whose commits say
            where Faust goes on.
        send: sends outputs to the broker.

    Attributes:
        owned: partitions that the group has assigned to this worker.
        loaded: joiners and doors of the owned partitions that have been loaded.
        events: number of offsets joined so far.
        taken: number of snapshots saved so far.
        rebalances: how often the group has assigned partitions so far.
        published: number of hours published so far, by partition.
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
        self.events = self.taken = self.rebalances = 0
        self.published: dict[int, int] = {}
        self._filled = self._dropped = 0  # counts of the doors of former partitions
        self._settings, self._key, self._items, self._snapshots = settings, key, items, snapshots
        self._reader, self._send = reader, send
        self._lock = asyncio.Lock()
        self._pool = ThreadPoolExecutor(1)  # clients of kafka-python bear one thread at a time
        self._files = ThreadPoolExecutor(1)  # saves snapshots in order
        # the last delivery; the next one starts when it has ended, which keeps the order
        self._delivery: asyncio.Future[Any] | None = None
        self._saving: asyncio.Future[Any] | None = None

    def own(self, partitions: Iterable[int]) -> None:
        """Take over the partitions that the group has assigned; all joiners are loaded anew."""
        self.disown()
        self.owned = frozenset(partitions)
        self.rebalances += 1

    def disown(self) -> None:
        """Give up all partitions until the group assigns some again."""
        self._filled, self._dropped = self.filled, self.dropped
        self.owned, self.loaded = frozenset(), {}

    @property
    def joiners(self) -> dict[int, Joiner]:
        """The joiners of the owned partitions that have been loaded."""
        return {partition: loaded.joiner for partition, loaded in self.loaded.items()}

    @property
    def filled(self) -> int:
        """Number of offsets that were read directly so far."""
        return self._filled + sum(loaded.door.filled for loaded in self.loaded.values())

    @property
    def dropped(self) -> int:
        """Number of repeated records that were dropped so far."""
        return self._dropped + sum(loaded.door.dropped for loaded in self.loaded.values())

    async def take(self, delivered: Mapping[int, list[Record]]) -> set[int]:
        """Join delivered records, and wait until their outputs are delivered.

        Args:
            delivered: records by partition.

        Returns:
            The partitions whose records were joined: those that this worker owns.
        """
        mine, delivery = await self.begin(delivered)
        await delivery
        return mine

    async def begin(
        self, delivered: Mapping[int, list[Record]]
    ) -> tuple[set[int], asyncio.Future[Any]]:
        """Join delivered records, and return while their outputs are still being delivered.

        The next batch may be joined in the meantime, but its delivery waits for this one.

        Args:
            delivered: records by partition.

        Returns:
            The partitions whose records were joined, and a future that ends with the delivery.
        """
        async with self._lock:
            reading = asyncio.ensure_future(self.ask(self._items.read_to_end))
            await _over(self._delivery)
            await reading
            mine = [partition for partition in sorted(delivered) if partition in self.owned]
            made = _Made()
            for partition in mine:
                loaded = await self._load(partition)
                async for batch in loaded.door.through(delivered[partition]):
                    self._join(loaded.joiner, batch, made)
                    if len(made.outputs) > _MANY:  # many direct reads after a long absence
                        made = await self._finish(made)
            self._delivery = asyncio.ensure_future(self._finish(made))
            return set(mine), self._delivery

    async def catch_up(self, partition: int, end: int | None = None) -> None:
        """Join records of a partition by direct reads, because Faust may deliver none for long.

        Args:
            partition: the partition; nothing happens if this worker does not own it.
            end: offset to read up to. None reads up to the offset that the group has committed.
        """
        async with self._lock:
            if partition not in self.owned:
                return
            await _over(self._delivery)
            await self.ask(self._items.read_to_end)
            loaded = await self._load(partition)
            goal = await self._goal(partition) if end is None else end
            async for batch in loaded.door.until(goal):
                made = _Made()
                self._join(loaded.joiner, batch, made)
                await self._finish(made)

    async def _goal(self, partition: int) -> int:
        """The offset that the group has committed, as far as it can be read.

        Offsets of an open transaction cannot be read yet.
        """
        committed = await self.ask(self._reader.committed, partition)
        if committed is None:
            return 0
        return min(committed, await self.ask(self._reader.end, partition))

    async def saved(self) -> None:
        """Wait for snapshots that are being saved; the end of the event loop would drop them."""
        await _over(self._saving)

    async def lag(self) -> dict[int, int]:
        """Number of events that each owned partition is behind its end.

        A partition that is not loaded yet counts as if it stood at offset 0.
        """
        ends = {
            partition: await self.ask(self._reader.end, partition)
            for partition in sorted(self.owned)
        }
        reached = {partition: loaded.door.next_offset for partition, loaded in self.loaded.items()}
        return {partition: end - reached.get(partition, 0) for partition, end in ends.items()}

    async def held_back(self) -> dict[str, int]:
        """Number of offsets that wait for an open transaction, as {"TOPIC/PARTITION": number}.

        Partitions of `items` are included; partitions that nothing holds back are left out.
        """
        counts = {
            f"events/{place}": await self.ask(self._reader.held_back, place)
            for place in sorted(self.owned)
        }
        counts |= await self.ask(self._items.held_back)
        return {place: count for place, count in counts.items() if count}

    async def _load(self, partition: int) -> Loaded:
        if partition not in self.loaded:
            joiner = Joiner(partition, self._settings, self._items.catalogue, self._key)
            if snapshot := await self.ask(self._snapshots.newest, partition):
                _refuse_foreign(snapshot, await self.ask(self._reader.end, partition))
                joiner.restore(snapshot)
            else:
                joiner.begin_at(await self.ask(self._reader.first, partition))

            async def read(first: int, end: int) -> list[Record]:
                return await self.ask(self._reader.read, partition, first, end)

            self.loaded[partition] = Loaded(joiner, Door(joiner.next_offset, read))
        return self.loaded[partition]

    def _join(self, joiner: Joiner, batch: list[Record], made: "_Made") -> None:
        for offset, value in batch:
            made.outputs += joiner.step(offset, None if value is None else decode(value))
            if joiner.next_offset % self._settings.run.snapshot_every == 0:
                made.snapshots.append(joiner.snapshot())
        made.outputs.append(joiner.ledger_row())
        self.events += len(batch)

    async def _finish(self, made: "_Made") -> "_Made":
        """Deliver outputs, then start to save the snapshots, whose outputs are now delivered."""
        await self._deliver(made.outputs)
        if made.snapshots:
            await _over(self._saving)  # raises if an earlier snapshot could not be saved
            self._saving = asyncio.ensure_future(self._save(made.snapshots))
        return _Made()

    async def _save(self, snapshots: list[Snapshot]) -> None:
        for snapshot in snapshots:
            await self.ask(self._snapshots.save, snapshot, pool=self._files)
            self.taken += 1

    async def _deliver(self, outputs: list[Output]) -> None:
        """Send outputs, and return once the broker has all of them."""
        if messages := messages_of(outputs, self._settings.join.partitions):
            await self._send(messages)
        for output in outputs:
            if isinstance(output, Hour):
                self.published[output.partition] = self.published.get(output.partition, 0) + 1

    async def ask(
        self, action: Callable[..., _T], *arguments: Any, pool: ThreadPoolExecutor | None = None
    ) -> _T:
        """Run a blocking action in a thread; it is tried again while the broker is away."""

        def run() -> _T:
            return patiently(action, *arguments)

        return await asyncio.get_running_loop().run_in_executor(pool or self._pool, run)


def _refuse_foreign(snapshot: Snapshot, end: int) -> None:
    if snapshot.next_offset > end:
        msg = (
            f"the snapshot of partition {snapshot.partition} stands at offset "
            f"{snapshot.next_offset:,}, but the topic ends at {end:,}: the snapshot belongs to "
            "another cluster, or the topic was deleted and made again; set MAINSTEM_SNAPSHOTS to "
            "another place, or give the topics another prefix"
        )
        raise SettingError(msg)


async def _over(before: asyncio.Future[Any] | None) -> None:
    """Wait for an earlier task, if there is one, and raise its error."""
    if before is not None:
        await before
