"""A program reports over HTTP whether it is ready and how far it lags."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from mainstem.kafka import Monitor
from mainstem.kafka.monitor import address_of


@pytest.fixture
def monitor() -> Iterator[Monitor]:
    """A monitor on a free port, after which Prometheus's registry is restored."""
    from prometheus_client import REGISTRY

    before = set(REGISTRY._collector_to_names)
    served = Monitor("127.0.0.1:0")
    yield served
    served._server.shutdown()
    served._server.server_close()
    for collector in set(REGISTRY._collector_to_names) - before:
        REGISTRY.unregister(collector)


def get(monitor: Monitor, path: str) -> tuple[int, Any]:
    """Return status and body."""
    try:
        with urlopen(f"http://127.0.0.1:{monitor.port}{path}", timeout=10) as answer:
            status, body = answer.status, answer.read()
    except HTTPError as error:
        with error:
            status, body = error.code, error.read()
    return status, body.decode() if path.startswith("/metrics") else json.loads(body)


def test_health_is_503_as_long_as_there_is_a_reason(monitor: Monitor) -> None:
    """A program is not ready at its start or while it gives a reason, which is in the answer."""
    assert (503, {"status": "starting"}) == get(monitor, "/health")
    monitor.unready = ""
    assert (200, {"status": "ok"}) == get(monitor, "/health")
    monitor.unready = "rebalancing"
    assert (503, {"status": "rebalancing"}) == get(monitor, "/health")


def test_lag_is_told_by_partition(monitor: Monitor) -> None:
    """The lag is listed by partition, without partitions that were lost."""
    assert (200, {}) == get(monitor, "/lag")
    monitor.show_lag({("events", 1): 5, ("events", 0): 7})
    assert (200, {"events/0": 7, "events/1": 5}) == get(monitor, "/lag")
    monitor.show_lag({("events", 1): 0})
    assert (200, {"events/1": 0}) == get(monitor, "/lag")


def test_metrics_have_the_lag(monitor: Monitor) -> None:
    """Prometheus gets a gauge for each partition."""
    monitor.show_lag({("events", 1): 5})
    status, text = get(monitor, "/metrics")
    assert 200 == status
    assert 'mainstem_lag{partition="1",topic="events"} 5.0' in text.splitlines()


def test_metrics_forget_partitions_that_went_to_others(monitor: Monitor) -> None:
    """A worker stops reporting the lag of a partition that another worker has taken."""
    monitor.show_lag({("events", 0): 7, ("events", 1): 5})
    monitor.show_lag({("events", 1): 3})
    _, text = get(monitor, "/metrics")
    assert ['mainstem_lag{partition="1",topic="events"} 3.0'] == [
        line for line in text.splitlines() if line.startswith("mainstem_lag{")
    ]


def test_other_paths_are_not_there(monitor: Monitor) -> None:
    """Any other path is 404 with the list of paths."""
    assert (404, {"status": "there are /health, /lag and /metrics"}) == get(monitor, "/")


def test_two_monitors_cannot_have_one_port(monitor: Monitor) -> None:
    """A second monitor on a port in use is an error."""
    from prometheus_client import REGISTRY

    REGISTRY.unregister(monitor._gauge)
    with pytest.raises(OSError, match="in use"):
        Monitor(f"127.0.0.1:{monitor.port}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:6066", ("127.0.0.1", 6066)),
        ("localhost:0", ("localhost", 0)),
        ("0.0.0.0:80", ("0.0.0.0", 80)),
    ],
)
def test_an_address_is_host_and_port(text: str, expected: tuple[str, int]) -> None:
    """An address is a host, kept as written, and a port."""
    assert expected == address_of(text)


@pytest.mark.parametrize(
    "text", ["", "6066", ":6066", "127.0.0.1", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:-1"]
)
def test_another_address_is_refused(text: str) -> None:
    """An address in another form is refused with an example."""
    with pytest.raises(
        ValueError, match=r"an address must be HOST:PORT, such as 127\.0\.0\.1:6066; got"
    ):
        address_of(text)
