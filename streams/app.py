"""Events enter here: the Faust app passes records to a join worker, which decodes and joins them.

The app acknowledges records once their outputs are delivered. Faust provides the consumer group and
the batches. It keeps no tables and serves no pages. Any error ends the process, and the supervisor
starts it again. The worker then joins again, from its newest snapshot, all events whose outputs the
broker may lack.
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

from .idling import Idle
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
_COLLECT: Final = 300.0  # seconds between two full garbage collections
_STALL: Final = 6.0  # seconds without progress after which a partition is read directly
_ASK_HELD: Final = 30.0  # seconds between two looks for open transactions
_LOOK_IDLE: Final = 5.0  # seconds between two looks for idle partitions
_BEHIND: Final = 100_000  # a worker that is more events behind the end is not ready
FAUST: Final[Mapping[str, Any]] = {
    "broker_commit_interval": 1.0,
    "broker_max_poll_records": 2000,
    # with Faust's default of 1 MiB a worker waits longer than it works
    "consumer_max_fetch_size": 4 << 20,
    # a group that forms while the broker starts owns nothing until it reads the metadata again
    "consumer_metadata_max_age_ms": 10_000,
    "stream_buffer_maxsize": 16384,
    "consumer_auto_offset_reset": "earliest",
    "topic_disable_leader": True,
    "web_enabled": False,
    "value_serializer": "raw",
    "key_serializer": "raw",
}
"""Settings of Faust. `BENCHMARKS.md` shows their effect."""


def calm_collector() -> None:
    """Make Python collect circular garbage less often.

    The state of a joiner is large, grows, and holds no cycles. With Python's defaults a worker
    spends a fifth of its time searching the state for them. The worker collects the oldest
    generation itself, every five minutes.
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
    """Make the Faust app of one stream worker.

    Args:
        addresses: where the broker and the snapshots are.
        settings: settings of the join.
        key: secret of the pseudonyms.
        monitor: shows lag and readiness to health checks and to Prometheus.
        session_timeout: seconds of silence after which other workers take over the partitions.
        group: short name of the consumer group; the deployment's prefix is put before it.

    Returns:
        The app, and the join worker that it feeds.
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
    reader = DirectReader(broker, events, member)
    worker = JoinWorker(settings, key, items, snapshots, reader, outbox)
    idle = Idle(worker, reader, outbox, settings.join.grace)
    REGISTRY.register(JoinCollector(worker, idle))

    @app.on_partitions_revoked.connect  # type: ignore[untyped-decorator]
    async def revoked(*_: Any, **__: Any) -> None:
        worker.disown()

    @app.on_partitions_assigned.connect  # type: ignore[untyped-decorator]
    async def assigned(_: faust.App, assigned: set[TP], **__: Any) -> None:
        worker.own(place.partition for place in assigned if place.topic == events)
        _LOG.info("owns partitions %s of %s", sorted(worker.owned), events)

    @app.on_before_shutdown.connect  # type: ignore[untyped-decorator]
    async def stopping(*_: Any, **__: Any) -> None:
        await _or_exit(worker.saved)

    acknowledging: set[asyncio.Task[None]] = set()

    raw = app.topic(events, value_serializer="raw", key_serializer="raw")

    @app.agent(raw)  # type: ignore[untyped-decorator]
    async def join(stream: Any) -> None:
        async for batch in stream.noack_take(BATCH, within=WITHIN):
            await _or_exit(_take, worker, batch, acknowledging)

    @app.task  # type: ignore[untyped-decorator]
    async def watch() -> None:
        await _or_exit(_watch, app, worker, monitor)

    @app.task  # type: ignore[untyped-decorator]
    async def tick_idle() -> None:
        while not app.should_stop:
            await asyncio.sleep(_LOOK_IDLE)
            await _or_exit(idle.look)

    return app, worker


async def _take(
    worker: JoinWorker, batch: list[Any], acknowledging: set[asyncio.Task[None]]
) -> None:
    """Join a batch; it is acknowledged once its outputs are delivered, while the next is joined."""
    delivered: dict[int, list[Record]] = defaultdict(list)
    for event in batch:
        message = event.message
        delivered[message.partition].append(Record(message.offset, message.value or b""))
    done, delivery = await worker.begin(delivered)
    task = asyncio.create_task(_or_exit(_acknowledge, delivery, batch, done))
    acknowledging.add(task)  # subtle: the event loop holds only a weak reference to a task
    task.add_done_callback(acknowledging.discard)


async def _acknowledge(delivery: Awaitable[object], batch: list[Any], done: set[int]) -> None:
    await delivery  # deliveries end in the order of their batches, so acknowledgements do too
    for event in batch:
        # subtle: a record left over from before a rebalance may belong to another worker by now
        if event.message.partition in done:
            event.ack()


async def _watch(app: faust.App, worker: JoinWorker, monitor: Monitor) -> None:
    """Load new partitions, and read directly the records that Faust fails to deliver.

    Faust may leave out the end of a log, or lose a fetch.
    """
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
        # while other partitions move, one may have to wait for its turn
        longest = _STALL if now - moved > _STALL else 10 * _STALL
        for partition, behind in lag.items():
            loaded = worker.loaded.get(partition)
            if loaded is None:
                continue
            at, since = seen.get(partition, (-1, now))
            if behind == 0 or at != loaded.door.next_offset:
                seen[partition] = loaded.door.next_offset, now
            elif now - since > longest:
                stuck = "partition %d is stuck at offset %d, %d events behind; reading directly"
                _LOG.warning(stuck, partition, at, behind)
                await worker.catch_up(partition, at + behind)
        if now - asked > _ASK_HELD:
            asked = now
            await _say_held(worker)
        if now - collected > _COLLECT:
            gc.collect()
            collected = now
        await asyncio.sleep(1)


async def _say_held(worker: JoinWorker) -> None:
    """Warn of open transactions: one that nobody ends holds up its partition for ever."""
    for place, count in (await worker.held_back()).items():
        waiting = "%s: %d offsets wait for an open transaction to be committed or aborted"
        _LOG.warning(waiting, place, count)


def _unready(app: faust.App, worker: JoinWorker, lag: Mapping[int, int]) -> str:
    if app.rebalancing:
        return "rebalancing"
    if worker.rebalances == 0:
        return "starting"
    if worker.owned - worker.loaded.keys():
        return "loading"
    return f"{sum(lag.values())} events behind" if sum(lag.values()) > _BEHIND else ""


async def _or_exit(action: Callable[..., Awaitable[None]], *arguments: Any) -> None:
    """Run an action; any error ends the process before Faust can acknowledge unfinished work."""
    try:
        await action(*arguments)
    except StoppedError:
        # the worker was asked to end while the action waited; wait until Faust cancels this task
        await asyncio.get_running_loop().create_future()
    except Exception as error:  # noqa: BLE001 - after any error, nothing may be acknowledged
        end_over(error)
