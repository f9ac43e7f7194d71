"""A stack of one folder: servers, one command that prepares them, then programs under a supervisor; one at a time a folder.

FOLDER/stack.pid    the process that runs it, which holds a lock on this file
FOLDER/stack.json   the programs, as they are
"""

import fcntl
import os
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from mainstem.errors import HomeError, MainstemError

from .process import end_of
from .supervisor import STATE, Supervisor

__all__ = ["Server", "Stack", "end_stack", "holder_of"]

_PID: Final = "stack.pid"
_END_SECONDS: Final = 120.0
_POLL_SECONDS: Final = 0.1
_ALL_SECONDS, _LEAST_SECONDS = (
    9.0,
    1.5,
)  # until everything has ended; of them for the servers, which a kill does no harm


class Server(Protocol):
    """What programs need: `start` returns once it answers, and again so after its process died."""

    @property
    def alive(self) -> bool:
        """Whether its process runs."""

    def start(self) -> None:
        """Start it; nothing happens where it runs."""

    def stop(self, seconds: float) -> None:
        """Ask it to end, wait so long, then end it."""


@dataclass(frozen=True, kw_only=True)
class Stack:
    """What runs.

    Attributes:
        folder: of everything it leaves.
        servers: started first, in this order, and again when they died; ended last.
        prepare: a command that must succeed before the programs.
        programs: command of each, by name.
        environment: of the programs.
    """

    folder: Path
    servers: Sequence[Server]
    prepare: Sequence[str]
    programs: Mapping[str, Sequence[str]]
    environment: Mapping[str, str]

    def run(self, ready: Callable[[], None]) -> None:
        """Run it until SIGTERM or Ctrl-C.

        Args:
            ready: called once the servers answer and are prepared.

        Raises:
            HomeError: if another process runs a stack in this folder.
            MainstemError: if a server does not start, or cannot be prepared.
        """
        with _held(self.folder), _interruptible():
            (self.folder / STATE).unlink(missing_ok=True)
            took = 0.0
            try:
                self._start_servers()
                self._prepare()
                ready()
                took = Supervisor(self.programs, self.folder, self.environment).run(
                    self._start_servers
                )
            except KeyboardInterrupt:
                pass
            finally:
                signal.signal(
                    signal.SIGINT, signal.SIG_IGN
                )  # what ends is not interrupted; each end has a time limit
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                self._stop_servers(max(_ALL_SECONDS - took, _LEAST_SECONDS))
                (self.folder / STATE).unlink(missing_ok=True)

    def _start_servers(self) -> None:
        for server in self.servers:
            if not server.alive:
                server.start()

    def _stop_servers(self, seconds: float) -> None:
        """End all at once: nobody uses them any more."""
        ends = [threading.Thread(target=server.stop, args=(seconds,)) for server in self.servers]
        for end in ends:
            end.start()
        for end in ends:
            end.join()

    def _prepare(self) -> None:
        log = self.folder / "prepare.log"
        with log.open("wb") as file:
            done = subprocess.run(  # noqa: S603 - our own command
                self.prepare,
                env=dict(self.environment),
                stdout=file,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if done.returncode:
            msg = f"`{shlex.join(self.prepare)}` ended with code {done.returncode}:\n{end_of(log)}"
            raise MainstemError(msg)


def holder_of(folder: Path) -> int:
    """Process id of what runs in a folder; 0 where nothing does."""
    try:
        with (folder / _PID).open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(file.read() or 0)
    except FileNotFoundError:
        pass
    return 0


def end_stack(folder: Path, seconds: float = _END_SECONDS) -> bool:
    """End what runs in a folder, and wait until it has ended.

    Returns:
        Whether there was something to end.

    Raises:
        HomeError: if it does not end in time.
    """
    pid = holder_of(folder)
    if not pid:
        return False
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + seconds
    while holder_of(folder) == pid:
        if time.monotonic() > deadline:
            msg = f"process {pid} was asked to end {seconds:.0f} s ago and still runs; wait, or end it and its children"
            raise HomeError(msg)
        time.sleep(_POLL_SECONDS)
    return True


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """The lock on a folder, which ends with this process however it ends."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _PID).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            pid = holder_of(folder)
            msg = f"process {pid} runs a stack in {str(folder)!r} already; `mainstem down --folder {folder}` ends it"
            raise HomeError(msg) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
        file.truncate(0)


@contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM does what Ctrl-C does."""
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, signal.default_int_handler) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
