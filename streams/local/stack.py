"""Runs a stack: servers, a command that prepares them, and programs under a supervisor.

One stack at a time runs in a folder.

FOLDER/stack.pid    id of the process that runs the stack; it holds a lock on this file
FOLDER/stack.json   state of the programs
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
_ALL_SECONDS: Final = 9.0  # time limit for the end of the whole stack
_LEAST_SECONDS: Final = 1.5  # the part of it that servers get at least; a kill does them no harm


class Server(Protocol):
    """A server that programs need, such as the broker."""

    @property
    def alive(self) -> bool:
        """Whether the server's process runs."""

    def start(self) -> None:
        """Start the server, also after its process died; return once it answers.

        Nothing happens if it runs.
        """

    def stop(self, seconds: float) -> None:
        """Ask the server to end (SIGTERM), and kill it if it still runs after some seconds."""


@dataclass(frozen=True, kw_only=True)
class Stack:
    """What runs in a stack.

    Attributes:
        folder: folder of all files that the stack writes.
        servers: servers in the order of their start. They start before the programs, are started
            again if they die, and end after the programs.
        prepare: command that must succeed before the programs start.
        programs: commands of the programs, by name.
        environment: environment of the programs.
    """

    folder: Path
    servers: Sequence[Server]
    prepare: Sequence[str]
    programs: Mapping[str, Sequence[str]]
    environment: Mapping[str, str]

    def run(self, ready: Callable[[], None]) -> None:
        """Run the stack until SIGTERM or Ctrl-C.

        Args:
            ready: called once the servers answer and are prepared.

        Raises:
            HomeError: if another process runs a stack in the folder.
            MainstemError: if a server does not start or the command `prepare` fails.
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
                # the end is not interrupted; every step of it has a time limit
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                self._stop_servers(max(_ALL_SECONDS - took, _LEAST_SECONDS))
                (self.folder / STATE).unlink(missing_ok=True)

    def _start_servers(self) -> None:
        for server in self.servers:
            if not server.alive:
                server.start()

    def _stop_servers(self, seconds: float) -> None:
        """End all servers at the same time, because no program uses them any more."""
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
    """Id of the process that runs a stack in a folder; 0 if there is none."""
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
    """End the stack that runs in a folder, and wait until it has ended.

    Args:
        folder: folder of the stack.
        seconds: time limit.

    Returns:
        Whether a stack ran.

    Raises:
        HomeError: if the stack does not end in time.
    """
    pid = holder_of(folder)
    if not pid:
        return False
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + seconds
    while holder_of(folder) == pid:
        if time.monotonic() > deadline:
            msg = (
                f"process {pid} was asked to end {seconds:.0f} s ago and still runs; "
                "wait, or kill it and its children"
            )
            raise HomeError(msg)
        time.sleep(_POLL_SECONDS)
    return True


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Hold the lock on a folder; it ends with this process, however that ends."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _PID).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            pid = holder_of(folder)
            msg = (
                f"process {pid} already runs a stack in {str(folder)!r}; "
                f"end it with `mainstem down --folder {folder}`"
            )
            raise HomeError(msg) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
        file.truncate(0)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Make SIGTERM raise KeyboardInterrupt, as Ctrl-C does."""
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, signal.default_int_handler) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
