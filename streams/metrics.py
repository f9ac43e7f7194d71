"""What a stream worker shows to Prometheus."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from .joining import JoinWorker

__all__ = ["JoinCollector"]


class JoinCollector(Collector):
    """Reads a join worker's counts whenever somebody asks."""

    def __init__(self, worker: JoinWorker) -> None:
        self._worker = worker

    def collect(self) -> Iterator[CounterMetricFamily]:
        """The counts, as Prometheus has them."""
        worker = self._worker
        for name, meaning, value in (
            ("mainstem_events", "Offsets of events joined", worker.events),
            ("mainstem_rebalances", "Times that partitions changed hands", worker.rebalances),
            (
                "mainstem_door_filled",
                "Offsets that were not delivered and were read directly",
                worker.filled,
            ),
            (
                "mainstem_door_dropped",
                "Records that were delivered again and let go",
                worker.dropped,
            ),
            ("mainstem_snapshots", "Snapshots taken", worker.taken),
        ):
            yield CounterMetricFamily(name, meaning, value=value)
