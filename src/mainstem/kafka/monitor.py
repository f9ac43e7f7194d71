"""A program's face over HTTP: /health for supervisors, /metrics for Prometheus, /lag for people."""

import threading
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from mainstem.printable import in_json

__all__ = ["LAG", "Monitor", "address_of"]

LAG: Final = "mainstem_lag"


def address_of(text: str) -> tuple[str, int]:
    """Host and port of `HOST:PORT`.

    Raises:
        ValueError: if it is something else.

    Example:
        >>> address_of("127.0.0.1:6066")
        ('127.0.0.1', 6066)
    """
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdigit():
        msg = f"an address is HOST:PORT, like 127.0.0.1:6066; got {text!r}"
        raise ValueError(msg)
    return host, int(port)


class Monitor:
    """Serves what a program says of itself, from a thread of its own.

    Args:
        address: `HOST:PORT`; port 0 takes a free one.

    Attributes:
        unready: why the program is not ready; empty when it is. Health is 503 as long as there is a reason.
        doing: what a healthy program says.
        lag: records behind, by (topic, partition).
    """

    def __init__(self, address: str) -> None:
        from prometheus_client import Gauge, make_wsgi_app  # only programs have it

        self.unready, self.doing = "starting", "ok"
        self.lag: dict[tuple[str, int], int] = {}
        self._gauge = Gauge(
            LAG, "Records between what was done and the end of the topic", ["topic", "partition"]
        )
        self._metrics = make_wsgi_app()
        host, port = address_of(address)
        self._server = make_server(host, port, self._answer, _Server, _Quiet)
        threading.Thread(target=self._server.serve_forever, name="monitor", daemon=True).start()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._server.server_port

    def show_lag(self, lag: dict[tuple[str, int], int]) -> None:
        """Say how far behind the program is."""
        for topic, partition in self.lag.keys() - lag.keys():  # those that went to another member
            self._gauge.remove(topic, partition)
        self.lag = dict(lag)
        for (topic, partition), records in lag.items():
            self._gauge.labels(topic, partition).set(records)

    def _answer(self, request: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        path = request.get("PATH_INFO")
        if path == "/metrics":
            return self._metrics(request, start)  # type: ignore[no-any-return]
        status, answer = "200 OK", dict[str, Any]()
        if path == "/health":
            status, answer = (
                ("503 Service Unavailable" if self.unready else "200 OK"),
                {"status": self.unready or self.doing},
            )
        elif path == "/lag":
            answer = {
                f"{topic}/{partition}": lag for (topic, partition), lag in sorted(self.lag.items())
            }
        else:
            status, answer = "404 Not Found", {"status": "there are /health, /lag and /metrics"}
        start(status, [("Content-Type", "application/json")])
        return [in_json(answer).encode() + b"\n"]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing: a health check every few seconds is no news."""
