"""The figures that a stream worker and a sink show to Prometheus."""

from collections.abc import Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from .holding import Holding
from .hours import Hours
from .idling import Idle
from .joining import JoinWorker

__all__ = ["HoursCollector", "JoinCollector"]


class JoinCollector(Collector):
    """Collects the counts of a join worker each time that Prometheus asks for them."""

    def __init__(self, worker: JoinWorker, idle: Idle) -> None:
        self._worker, self._idle = worker, idle

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
        yield _counter("mainstem_hours_published", "Hours that were published", worker.published)
        yield _counter("mainstem_idle_ticks", "Ticks sent to idle partitions", self._idle.ticks)


class HoursCollector(Collector):
    """Collects the figures of the hours that a sink reads."""

    def __init__(self, hours: Hours, holding: Holding) -> None:
        self._hours, self._holding = hours, holding

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        """Yield each figure by partition of topic `events`."""
        hours = self._hours
        yield _counter("mainstem_hours_written", "Publications that count", hours.complete)
        repeated = "Complete publications of hours that were closed already"
        yield _counter("mainstem_hours_repeated", repeated, hours.repeated)
        uncounted = "Events that came after their hour was closed"
        yield _counter("mainstem_uncounted", uncounted, hours.uncounted)
        waiting = "Hours of which some parts are there, but not all"
        yield _gauge("mainstem_hours_waiting", waiting, hours.waiting)
        closed = {one: until // 1000 for one, until in self._holding.closed_until.items()}
        until = "Event time up to which the hours are closed, in seconds since 1970; 0 for none"
        yield _gauge("mainstem_closed_until_seconds", until, closed)


def _counter(name: str, meaning: str, values: Mapping[int, int]) -> CounterMetricFamily:
    family = CounterMetricFamily(name, meaning, labels=["partition"])
    for partition, value in sorted(values.items()):
        family.add_metric([str(partition)], value)
    return family


def _gauge(name: str, meaning: str, values: Mapping[int, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, meaning, labels=["partition"])
    for partition, value in sorted(values.items()):
        family.add_metric([str(partition)], value)
    return family
