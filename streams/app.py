"""The Faust app: raw records in, a join worker in the middle, acknowledgements out. It decides nothing.

Faust brings the consumer group, the batches and the producer. It keeps no tables and serves no pages. Anything that goes
wrong ends the process, and its supervisor starts it again: what was not delivered is joined again from the snapshot.
"""

import asyncio
import gc
import logging
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import faust
from faust.types import TP
from prometheus_client import REGISTRY

from mainstem.bootstrap import open_broker
from mainstem.errors import StoppedError
from mainstem.kafka import DirectReader, Monitor, Record
from mainstem.settings import Settings
from mainstem.settings.addresses import Addresses

from .items import ItemsReader
from .joining import JoinWorker
from .metrics import JoinCollector
from .outbox import Outbox
from .snapshots import Snapshots
from .transport import end_over, transport_of

__all__ = ["BATCH", "FAUST", "WITHIN", "calm_collector", "make_app"]

_LOG = logging.getLogger("mainstem.join")
BATCH: Final = 4000
WITHIN: Final = 0.2  # seconds that a batch waits to fill
_COLLECT: Final = 300.0  # seconds between two looks for circular garbage
_STALL: Final = 6.0  # seconds without progress after which what is there is read directly
_ASK_HELD: Final = 30.0  # seconds between two looks for open transactions
_BEHIND: Final = 100_000  # events behind the end that make a worker unhealthy
FAUST: Final[Mapping[str, Any]] = {
    "broker_commit_interval": 1.0,
    "broker_max_poll_records": 2000,
    "consumer_max_fetch_size": 4
    << 20,  # with Faust's own megabyte a worker waits more than it works
    "consumer_metadata_max_age_ms": 10_000,  # a group that met while the broker started owns nothing until it looks again
    "stream_buffer_maxsize": 16384,
    "consumer_auto_offset_reset": "earliest",
    "topic_disable_leader": True,
    "web_enabled": False,
    "value_serializer": "raw",
    "key_serializer": "raw",
}
"""Settings of Faust; `BENCHMARKS.md` tells what they do."""


def calm_collector() -> None:
    """Let Python look for circular garbage rarely: a joiner's state is large, grows, and holds none.

    Otherwise a fifth of the time goes into looking through it. The oldest generation is looked through by `watch`.
    """
    gc.set_threshold(50_000, 20, 1_000_000)


def make_app(
    addresses: Addresses,
    settings: Settings,
    key: bytes,
    monitor: Monitor,
    session_timeout: float,
    *,
    group: str = "join",
) -> tuple[faust.App, JoinWorker]:
    """The app of one stream worker, and the worker in it.

    Args:
        addresses: the broker and the snapshots.
        settings: of the join.
        key: secret of the pseudonyms.
        monitor: told how it goes.
        session_timeout: seconds of silence after which the other workers take over.
        group: short name of the consumer group.
    """
    broker = open_broker(addresses.events)
    member, events = broker.group(group), broker.topic("events")
    app = faust.App(
        member,
        broker=[f"aiokafka://{server}" for server in broker.servers],
        broker_credentials=broker.login.credentials(),
        broker_session_timeout=session_timeout,
        broker_heartbeat_interval=session_timeout / 10,
        datadir=tempfile.mkdtemp(prefix="mainstem-join-"),
        **FAUST,
    )

    app.transport = transport_of(app, broker.servers)
    outbox = Outbox(broker)
    items = ItemsReader(DirectReader(broker, broker.topic("items")))
    snapshots = Snapshots(
        addresses.snapshots, broker.prefix or "mainstem", settings, key=key, topic=events
    )
    worker = JoinWorker(
        settings, key, items, snapshots, DirectReader(broker, events, member), outbox
    )
    REGISTRY.register(JoinCollector(worker))

    @app.on_partitions_revoked.connect  # type: ignore[untyped-decorator]
    async def revoked(_: faust.App, revoked: set[TP], **__: Any) -> None:  # noqa: ARG001 - Faust awaits it
        worker.disown()

    @app.on_partitions_assigned.connect  # type: ignore[untyped-decorator]
    async def assigned(_: faust.App, assigned: set[TP], **__: Any) -> None:
        worker.own(place.partition for place in assigned if place.topic == events)
        _LOG.info("owns partitions %s of %s", sorted(worker.owned), events)

    @app.on_before_shutdown.connect  # type: ignore[untyped-decorator]
    async def stopping(_: faust.App, **__: Any) -> None:  # Faust awaits it
        await _or_exit(worker.saved)

    acknowledging: set[asyncio.Task[None]] = set()

    @app.agent(app.topic(events, value_serializer="raw", key_serializer="raw"))  # type: ignore[untyped-decorator]
    async def join(stream: Any) -> None:
        async for batch in stream.noack_take(BATCH, within=WITHIN):
            await _or_exit(_take, worker, batch, acknowledging)

    @app.task  # type: ignore[untyped-decorator]
    async def watch() -> None:
        await _or_exit(_watch, app, worker, monitor)

    return app, worker


async def _take(
    worker: JoinWorker, batch: list[Any], acknowledging: set[asyncio.Task[None]]
) -> None:
    """Give a batch to the worker; it is acknowledged once it is delivered, while the next one is joined."""
    delivered: dict[int, list[Record]] = defaultdict(list)
    for event in batch:
        message = event.message
        delivered[message.partition].append(Record(message.offset, message.value or b""))
    done, delivery = await worker.begin(delivered)
    task = asyncio.create_task(_or_exit(_acknowledge, delivery, batch, done))
    acknowledging.add(task)  # the loop itself keeps no task alive
    task.add_done_callback(acknowledging.discard)


async def _acknowledge(delivery: Awaitable[object], batch: list[Any], done: set[int]) -> None:
    await delivery  # deliveries follow each other, so acknowledgements do
    for event in batch:
        if (
            event.message.partition in done
        ):  # what an earlier generation left over is not ours to acknowledge
            event.ack()


async def _watch(app: faust.App, worker: JoinWorker, monitor: Monitor) -> None:
    """Load what has arrived; read directly what Faust does not deliver: the end of a log, or a fetch that got lost."""
    seen: dict[int, tuple[int, float]] = {}
    collected = asked = time.monotonic()
    events, moved = 0, 0.0
    while not app.should_stop:
        for partition in sorted(worker.owned - worker.loaded.keys()):
            await worker.catch_up(partition)
        lag = await worker.lag()
        monitor.show_lag({("events", partition): behind for partition, behind in lag.items()})
        monitor.unready = _unready(app, worker, lag)
        now = time.monotonic()
        if worker.events != events:
            events, moved = worker.events, now
        longest = (
            _STALL if now - moved > _STALL else 10 * _STALL
        )  # while others are served, one may have to wait
        for partition, behind in lag.items():
            loaded = worker.loaded.get(partition)
            if loaded is None:
                continue
            at, since = seen.get(partition, (-1, now))
            if behind == 0 or at != loaded.door.next_offset:
                seen[partition] = loaded.door.next_offset, now
            elif now - since > longest:
                _LOG.warning(
                    "partition %d stands at %d, %d behind: reading directly", partition, at, behind
                )
                await worker.catch_up(partition, at + behind)
        if now - asked > _ASK_HELD:
            asked = now
            await _say_held(worker)
        if now - collected > _COLLECT:
            gc.collect()
            collected = now
        await asyncio.sleep(1)


async def _say_held(worker: JoinWorker) -> None:
    """Say which partitions wait for a transaction: one that nobody ends holds up its partition for ever."""
    for place, count in (await worker.held_back()).items():
        _LOG.warning(
            "%s: %d offsets wait for an open transaction to be committed or aborted", place, count
        )


def _unready(app: faust.App, worker: JoinWorker, lag: Mapping[int, int]) -> str:
    if app.rebalancing:
        return "rebalancing"
    if worker.rebalances == 0:
        return "starting"
    if worker.owned - worker.loaded.keys():
        return "loading"
    return f"{sum(lag.values())} events behind" if sum(lag.values()) > _BEHIND else ""


async def _or_exit(action: Callable[..., Awaitable[None]], *arguments: Any) -> None:
    """Run it; any error ends the process at once, before Faust can acknowledge what was not done."""
    try:
        await action(*arguments)
    except (
        StoppedError
    ):  # asked to end while it waited: the worker is on its way out and cancels this
        await asyncio.get_running_loop().create_future()
    except Exception as error:  # noqa: BLE001 - whatever it is, what was not done must not be acknowledged
        end_over(error)
