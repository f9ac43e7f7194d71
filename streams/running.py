"""The loops of the programs, which run until a signal or an error ends them."""

import logging
import time
from typing import Any, Final

from mainstem.bootstrap import open_broker, open_store
from mainstem.cli.programs import end_soon, stopping
from mainstem.kafka import Intake, Monitor
from mainstem.kafka.outages import patiently
from mainstem.kafka.trusted import TrustedTopic
from mainstem.settings import Settings
from mainstem.settings.addresses import Addresses
from mainstem.store import Store
from mainstem.store.hours import closed_hours

from .holding import Holding
from .metrics import HoursCollector
from .sink import SINK_TOPICS, Sink

__all__ = ["run_join", "run_sink"]

_LOG = logging.getLogger("mainstem")
_BATCH: Final = 5000  # records of a batch at most
_WAIT: Final = 1.0  # seconds that a batch waits to fill, because ClickHouse prefers large writes


def run_join(
    addresses: Addresses, settings: Settings, key: bytes, monitor: Monitor, session_timeout: float
) -> None:
    """Run a stream worker until a signal ends it.

    Args:
        addresses: where the broker and the snapshots are.
        settings: settings of the join.
        key: secret of the pseudonyms.
        monitor: shows lag and readiness to health checks and to Prometheus.
        session_timeout: seconds of silence after which other workers take over the partitions.
    """
    import faust  # slow to import
    import mode.loop

    mode.loop.use("uvloop")
    from .app import calm_collector, make_app

    calm_collector()

    app, _ = make_app(addresses, settings, key, monitor, session_timeout)

    class Worker(faust.Worker):  # type: ignore[misc]  # Faust has no types
        def _schedule_shutdown(self, signal: Any) -> None:
            end_soon()
            super()._schedule_shutdown(signal)

    worker = Worker(
        app, loglevel="WARN", override_logging=False, quiet=True, redirect_stdouts=False
    )
    worker.execute_from_commandline()


def run_sink(
    addresses: Addresses, settings: Settings, key: bytes, monitor: Monitor, session_timeout: float
) -> None:
    """Run a sink until a signal ends it: take a batch, write it to the history, then commit.

    Args:
        addresses: where the broker and the history are.
        settings: settings of the trusted samples.
        key: secret of the digests of refused events.
        monitor: shows lag and readiness to health checks and to Prometheus.
        session_timeout: seconds of silence after which another sink takes over the partitions.
    """
    from prometheus_client import REGISTRY, Counter

    rows = Counter("mainstem_rows", "Rows written", ["table"])
    broker, stop = open_broker(addresses.events), stopping()
    with open_store(addresses.store) as store:
        sink = Sink(store, settings, key)
        holding = Holding(settings.join.partitions)
        REGISTRY.register(HoursCollector(sink.hours, holding))
        intake = Intake(
            broker,
            "sink",
            SINK_TOPICS,
            most=_BATCH,
            assigned=lambda owned: sink.assigned(owned, intake),
            revoked=sink.revoked,
            session_timeout=session_timeout,
        )
        with intake:
            seen: dict[str, int] = {}
            trusted = patiently(TrustedTopic, broker)
            while not stop():
                if confirmed := patiently(trusted.read):
                    sink.trust(confirmed)
                batch = _full_batch(intake, sink)
                sink.write(batch)
                if (sink.passed(intake) or batch) and not patiently(intake.commit, sink.commits):
                    _LOG.info("partitions went to another sink, which writes this batch again")
                for table, count in sink.rows.items():
                    rows.labels(table).inc(count - seen.get(table, 0))
                    seen[table] = count
                if told := patiently(_holds_up, holding, store):
                    _LOG.warning("%s", told)
                monitor.show_lag(patiently(intake.lag))
                monitor.unready = ""


def _holds_up(holding: Holding, store: Store) -> str:
    return holding.look(closed_hours(store)) if holding.is_due else ""


def _full_batch(intake: Intake, sink: Sink) -> list[tuple[str, Any]]:
    batch = intake.next_batch()
    due, changes = time.monotonic() + _WAIT, sink.changes
    while batch and len(batch) < _BATCH and time.monotonic() < due:
        batch += intake.next_batch()
        if sink.changes != changes:
            return []  # all records since the last commit are given out again, in order
    return batch
