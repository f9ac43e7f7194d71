"""The figures that a stream worker shows to Prometheus."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from .joining import JoinWorker

__all__ = ["JoinCollector"]


class JoinCollector(Collector):
    """Collects the counts of a join worker each time that Prometheus asks for them."""

    def __init__(self, worker: JoinWorker) -> None:
        self._worker = worker

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Yield each count as a Prometheus counter."""
        worker = self._worker
        for name, meaning, value in (
            ("mainstem_events", "Offsets of topic events that were joined", worker.events),
            ("mainstem_rebalances", "Times that the group assigned partitions", worker.rebalances),
            ("mainstem_door_filled", "Undelivered offsets that were read directly", worker.filled),
            ("mainstem_door_dropped", "Repeated records that were dropped", worker.dropped),
            ("mainstem_snapshots", "Snapshots saved", worker.taken),
        ):
            yield CounterMetricFamily(name, meaning, value=value)
