"""Joining behind Faust: what was delivered goes through the doors, is folded, and its outputs are sent.

All decisions are the joiners'. A partition that arrives is loaded from its newest snapshot and caught up by direct reads;
one that leaves is forgotten. A snapshot is taken at multiples of an offset, after the outputs up to there were delivered.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NamedTuple, ParamSpec, Protocol, TypeVar

from mainstem.events import decode
from mainstem.join import Joiner, LedgerRow, Output, Rejection, Sample
from mainstem.join.route import partition_of_question
from mainstem.kafka import DirectReader, Record
from mainstem.kafka.messages import encode, questions_of
from mainstem.kafka.patience import patiently
from mainstem.settings import Settings

from .door import Door
from .items import ItemsReader
from .snapshots import Snapshots

__all__ = ["JoinWorker", "Loaded", "Send"]

_MANY: Final = 20_000  # outputs that are held back at most
_P = ParamSpec("_P")
_T = TypeVar("_T")


class Send(Protocol):
    """Sends one record to one of our topics."""

    async def __call__(self, topic: str, key: bytes, value: bytes, partition: int | None = None) -> Awaitable[Any]:
        """Give the record to the producer; what comes back is done once the broker has it."""


class Loaded(NamedTuple):
    """A joiner and the door before it: they stand at the same offset."""

    joiner: Joiner
    door: Door


class JoinWorker:
    """The joiners of the partitions that this worker owns.

    Args:
        settings: of the join.
        key: secret of the pseudonyms.
        items: the catalogue.
        snapshots: where joiners are kept.
        reader: of topic `events`, with the group whose commits say where Faust goes on.
        send: gives records to the producer.
    """

    def __init__(
        self, settings: Settings, key: bytes, items: ItemsReader, snapshots: Snapshots, reader: DirectReader, send: Send
    ) -> None:
        self.owned: frozenset[int] = frozenset()
        self.loaded: dict[int, Loaded] = {}
        self.events = self.taken = self.rebalances = 0  # offsets joined, snapshots taken, times the group settled anew
        self._filled = self._dropped = 0  # by doors that are no more
        self._settings, self._key, self._items, self._snapshots = settings, key, items, snapshots
        self._reader, self._send = reader, send
        self._lock = asyncio.Lock()
        self._pool = ThreadPoolExecutor(1)  # kafka-python and files, one thing at a time

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
        """Join what was delivered; gives the partitions whose records are done (those that are ours)."""
        async with self._lock:
            await self._do(self._items.read_to_end)
            mine = [partition for partition in sorted(delivered) if partition in self.owned]
            outputs: list[Output] = []
            for partition in mine:
                loaded = await self._load(partition)
                async for batch in loaded.door.through(delivered[partition]):
                    outputs = await self._join(loaded.joiner, batch, outputs)
            await self._deliver(outputs)  # of all partitions together: each delivery is waited for
            return set(mine)

    async def catch_up(self, partition: int, end: int | None = None) -> None:
        """Read on directly, to `end`, or to where the group stands: a loaded partition may get no new event for long."""
        async with self._lock:
            if partition not in self.owned:
                return
            await self._do(self._items.read_to_end)
            loaded = await self._load(partition)
            goal = await self._do(self._reader.committed, partition) if end is None else end
            async for batch in loaded.door.until(goal or 0):
                await self._deliver(await self._join(loaded.joiner, batch, []))

    async def lag(self) -> dict[int, int]:
        """Events behind the end, of each partition that is ours; of one that is not loaded, all of them."""
        ends = {partition: await self._do(self._reader.end, partition) for partition in sorted(self.owned)}
        return {
            partition: end - (self.loaded[partition].door.next_offset if partition in self.loaded else 0)
            for partition, end in ends.items()
        }

    async def _load(self, partition: int) -> Loaded:
        if partition not in self.loaded:
            joiner = Joiner(partition, self._settings, self._items.catalogue, self._key)
            if snapshot := await self._do(self._snapshots.newest, partition):
                joiner.restore(snapshot)
            else:
                joiner.begin_at(await self._do(self._reader.first, partition))

            async def read(first: int, end: int) -> list[Record]:
                return await self._do(self._reader.read, partition, first, end)

            self.loaded[partition] = Loaded(joiner, Door(joiner.next_offset, read))
        return self.loaded[partition]

    async def _join(self, joiner: Joiner, batch: list[Record], outputs: list[Output]) -> list[Output]:
        """Fold a batch; gives the outputs that are still to be delivered, those that came along among them."""
        for offset, value in batch:
            outputs += joiner.step(offset, None if value is None else decode(value))
            if joiner.next_offset % self._settings.snapshot_every == 0:
                await self._deliver(outputs)
                outputs = []
                await self._do(self._snapshots.save, joiner.snapshot())
                self.taken += 1
        self.events += len(batch)
        outputs.append(joiner.ledger_row())
        if len(outputs) > _MANY:  # direct reads after a long absence
            await self._deliver(outputs)
            outputs = []
        return outputs

    async def _deliver(self, outputs: list[Output]) -> None:
        """Send everything, then wait until the broker has all of it."""
        sent: list[Awaitable[Any]] = []
        samples = [output for output in outputs if isinstance(output, Sample)]
        for question_id, together in questions_of(samples):
            place = partition_of_question(question_id, self._settings.partitions)
            sent.append(await self._send("samples", question_id.bytes, encode(together), place))
        for output in outputs:
            if isinstance(output, LedgerRow | Rejection):
                topic = "ledger" if isinstance(output, LedgerRow) else "rejected"
                sent.append(await self._send(topic, f"{output.topic}-{output.partition}".encode(), encode(output)))
        await asyncio.gather(*sent)

    async def _do(self, action: Callable[_P, _T], *arguments: _P.args, **named: _P.kwargs) -> _T:
        """Run something that blocks, patiently, without blocking the loop."""

        def run() -> _T:
            return patiently(action, *arguments, **named)

        return await asyncio.get_running_loop().run_in_executor(self._pool, run)
