"""Shared by the commands of all long-running programs: options, settings, logging, stopping."""

import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, Final

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
        help="Where to serve /health and /metrics; port 0 takes any free port.",
    ),
]
SessionOption = Annotated[
    float, typer.Option(min=1, help="After this many silent seconds another worker takes over.")
]
_GRACE: Final = 6.0  # seconds between the request to end and the end
_ENDING: Final = frozenset((signal.SIGTERM, signal.SIGINT))
_LINE: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class _InOneLine(logging.Formatter):
    """Puts a message on one line, even if it quotes text with line breaks; keeps tracebacks."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        return printable(super().formatMessage(record))


def settled(given: Mapping[str, Any] | None = None) -> Settings:
    """The settings of a program.

    Args:
        given: values by the full names of their settings; None counts as not given.

    Raises:
        SettingError: if `join.questions` is `auto`, which only a log on disk can settle.
    """
    settings = Settings.read(os.environ, given, say=note)
    if settings.join.questions == "auto":
        msg = (
            "MAINSTEM_JOIN__QUESTIONS must be `shown` or `purchases` beside Kafka, because a "
            "stream cannot be read beforehand to find out"
        )
        raise SettingError(msg)
    return settings


def begin(http: str) -> "Monitor":
    """Log to stderr from now on, and serve health and metrics at an address."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_InOneLine(_LINE))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("kafka").setLevel(logging.ERROR)
    # a member that has lost its partitions would log it ten times a second; it is raised as well
    logging.getLogger("kafka.coordinator").setLevel(logging.CRITICAL)
    # `end_soon` relies on it, and is called in any thread, where no handler can be set
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    from mainstem.kafka import Monitor  # needs the kafka extra

    try:
        return Monitor(http)
    except (ValueError, OSError) as error:
        msg = f"--http {http}: {error}"
        raise SettingError(msg) from error


def stopping() -> Callable[[], bool]:
    """A function that says whether this process was asked to end; it then ends in six seconds."""
    from mainstem.kafka.outages import ASKED  # needs the kafka extra

    def ask(number: int, _: FrameType | None) -> None:  # noqa: ARG001 - a handler's signature
        end_soon()

    for number in _ENDING:
        signal.signal(number, ask)
    # subtle: a handler waits for the main thread, which may be in one call for minutes (the
    # backward pass of a large batch); the interpreter writes here at once, and another thread reads
    heard, told = socket.socketpair()
    told.setblocking(False)
    signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_listen, args=(heard, told), name="listen", daemon=True).start()
    return ASKED.is_set


def end_soon() -> None:
    """Stop waiting, and end this process within six seconds, whatever it is doing.

    A program that writes first and commits then may end at any step: uncommitted input comes again.
    """
    from mainstem.kafka.outages import ASKED

    if not ASKED.is_set():
        ASKED.set()
        threading.Thread(target=_end, name="end", daemon=True).start()
        # subtle: the alarm ends the process even if its threads no longer get their turn
        signal.alarm(int(_GRACE) + 3)


def _listen(heard: socket.socket, told: socket.socket) -> None:  # noqa: ARG001 - keeps it open
    """End soon after a signal to end, whatever the main thread is doing."""
    # subtle: it listens on after the first signal, because the interpreter complains if nobody
    # holds the other end of the socket
    while True:
        if not _ENDING.isdisjoint(heard.recv(1)):
            end_soon()


def _end() -> None:
    time.sleep(_GRACE)
    ended = "ended in the middle of its work; input that was not committed will be read again"
    print(f"mainstem: {ended}", file=sys.stderr, flush=True)
    os._exit(0)
