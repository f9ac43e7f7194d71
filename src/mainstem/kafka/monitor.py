"""Serves a program's state over HTTP: /health, /metrics for Prometheus, and /lag for people."""

import threading
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from mainstem.printable import in_json

__all__ = ["LAG", "Monitor", "address_of"]

LAG: Final = "mainstem_lag"
"""Name of the gauge that shows the lag to Prometheus."""


def address_of(text: str) -> tuple[str, int]:
    """Split `HOST:PORT` into host and port.

    Raises:
        ValueError: if the text has another form.

    Example:
        >>> address_of("127.0.0.1:6066")
        ('127.0.0.1', 6066)
    """
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdigit():
        msg = f"an address must be HOST:PORT, such as 127.0.0.1:6066; got {text!r}"
        raise ValueError(msg)
    return host, int(port)


class Monitor:
    """Serves the state that a program sets here, from a thread of its own.

    Args:
        address: address to listen on, as `HOST:PORT`; port 0 takes a free port.

    Attributes:
        unready: why the program is not ready; empty if it is ready. /health answers with status 503
            as long as there is a reason.
        doing: status that /health gives when the program is ready.
        lag: number of records behind the end of each (topic, partition).
    """

    def __init__(self, address: str) -> None:
        from prometheus_client import Gauge, make_wsgi_app  # only programs have it

        self.unready, self.doing = "starting", "ok"
        self.lag: dict[tuple[str, int], int] = {}
        meaning = "Records between the position of this program and the end of the partition"
        self._gauge = Gauge(LAG, meaning, ["topic", "partition"])
        self._metrics = make_wsgi_app()
        host, port = address_of(address)
        self._server = make_server(host, port, self._answer, _Server, _Quiet)
        threading.Thread(target=self._server.serve_forever, name="monitor", daemon=True).start()

    @property
    def port(self) -> int:
        """The port that the monitor listens on."""
        return self._server.server_port

    def show_lag(self, lag: dict[tuple[str, int], int]) -> None:
        """Set the lag of the program's partitions, by (topic, partition)."""
        for topic, partition in self.lag.keys() - lag.keys():  # owned by another member by now
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
            status = "503 Service Unavailable" if self.unready else "200 OK"
            answer = {"status": self.unready or self.doing}
        elif path == "/lag":
            lags = sorted(self.lag.items())
            answer = {f"{topic}/{partition}": lag for (topic, partition), lag in lags}
        else:
            status, answer = "404 Not Found", {"status": "there are /health, /lag and /metrics"}
        start(status, [("Content-Type", "application/json")])
        return [in_json(answer).encode() + b"\n"]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name in wsgiref
        """Log nothing, because a health check every few seconds is no news."""
