"""What the commands of all long-running programs share: options, settings they insist on, logging, a signal to stop."""

import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Final

import typer

from mainstem.cli.notes import note
from mainstem.errors import SettingError
from mainstem.printable import printable
from mainstem.settings import Settings

if TYPE_CHECKING:
    from mainstem.kafka import Monitor

__all__ = ["HttpOption", "SessionOption", "begin", "end_soon", "settled", "stopping"]

HttpOption = Annotated[
    str,
    typer.Option(
        "--http",
        metavar="HOST:PORT",
        help="Where /health and /metrics are; port 0 is any free one.",
    ),
]
SessionOption = Annotated[
    float, typer.Option(min=1, help="Seconds of silence after which another worker takes over.")
]
_GRACE: Final = 6.0  # seconds from being asked to end until the end
_ENDING: Final = frozenset((signal.SIGTERM, signal.SIGINT))
_LINE: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class _InOneLine(logging.Formatter):
    """A message in one line, whatever a record of others that it quotes holds; a traceback keeps its lines."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - a name of logging's
        return printable(super().formatMessage(record))


def settled() -> Settings:
    """The settings of a program.

    Raises:
        SettingError: if what asks is left open.
    """
    settings = Settings.read(os.environ, say=note)
    if settings.join.questions == "auto":
        msg = "MAINSTEM_JOIN__QUESTIONS must be `shown` or `purchases` beside Kafka: a stream cannot be looked at beforehand"
        raise SettingError(msg)
    return settings


def begin(http: str) -> "Monitor":
    """Log to stderr from now on, and serve health and metrics."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_InOneLine(_LINE))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("kafka").setLevel(logging.ERROR)
    logging.getLogger("kafka.coordinator").setLevel(
        logging.CRITICAL
    )  # a lost right ten times a second; it is raised too
    signal.signal(
        signal.SIGALRM, signal.SIG_DFL
    )  # `end_soon` relies on it, and may be called in any thread
    from mainstem.kafka import Monitor  # only programs have what it needs

    try:
        return Monitor(http)
    except (ValueError, OSError) as error:
        msg = f"--http {http}: {error}"
        raise SettingError(msg) from error


def stopping() -> Callable[[], bool]:
    """A function that is true once somebody asked this process to end; from then on it has six seconds."""
    from mainstem.kafka.outages import ASKED  # only programs have what it needs

    def ask(number: int, _: FrameType | None) -> None:  # noqa: ARG001 - a handler's signature
        end_soon()

    for number in _ENDING:
        signal.signal(number, ask)
    # subtle: a handler waits for the main thread, which may be in one call for minutes (the backward pass of a large
    # batch); what the interpreter writes here at once another thread reads meanwhile
    heard, told = socket.socketpair()
    told.setblocking(False)
    signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_listen, args=(heard, told), name="listen", daemon=True).start()
    return ASKED.is_set


def end_soon() -> None:
    """Wait for nothing any more, and end this process within six seconds, whatever it is about.

    A program that writes, then commits may end at any step: what was not committed comes again.
    """
    from mainstem.kafka.outages import ASKED

    if not ASKED.is_set():
        ASKED.set()
        threading.Thread(target=_end, name="end", daemon=True).start()
        signal.alarm(
            int(_GRACE) + 3
        )  # subtle: ends also a process whose threads no longer get their turn


def _listen(heard: socket.socket, told: socket.socket) -> None:  # noqa: ARG001 - else it would be closed
    """End soon at a signal that asks for it, whatever the main thread is about."""
    while True:  # subtle: also after the first one, since the interpreter complains where nobody holds the other end
        if not _ENDING.isdisjoint(heard.recv(1)):
            end_soon()


def _end() -> None:
    time.sleep(_GRACE)
    print(
        "mainstem: ended in the middle of something; what was not committed comes again",
        file=sys.stderr,
        flush=True,
    )
    os._exit(0)
