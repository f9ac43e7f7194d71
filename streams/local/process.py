"""Starts and ends one process on this machine, in every way that tests need, and reads its log."""

import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from mainstem.errors import MainstemError

__all__ = ["LocalProcess", "end_of", "free_ports", "is_free", "wait_for"]

_POLL_SECONDS: Final = 0.1
_STOP_SECONDS: Final = 30.0
_TAIL_BYTES: Final = 8192
_PORTS: Final = range(10240, 32768)


class LocalProcess:
    """A child process in a session of its own, so that Ctrl-C in the terminal does not reach it.

    Args:
        command: program and arguments.
        log: file that the output is appended to.
        environment: environment of the process; None passes on ours.
    """

    def __init__(
        self, command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.command = list(command)
        self.log = log
        self._environment = environment
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Process id; 0 before the start and after the end."""
        return self._child.pid if self._child and self.alive else 0

    @property
    def alive(self) -> bool:
        """Whether the process runs, paused or not."""
        return self._child is not None and self._child.poll() is None

    @property
    def code(self) -> int | None:
        """Exit code; None while the process runs, and below zero if a signal ended it."""
        return self._child.poll() if self._child else None

    def start(self) -> None:
        """Start the process; nothing happens if it runs."""
        if self.alive:
            return
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(  # noqa: S603 - our own command
                self.command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill(self) -> None:
        """End the process and its children at once (SIGKILL)."""
        if self._child is None:
            return
        if self._child.poll() is None:
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()

    def ask(self) -> None:
        """Ask the process to end (SIGTERM), even if it is paused."""
        self._send(signal.SIGTERM)
        self._send(signal.SIGCONT)

    def stop(self, seconds: float = _STOP_SECONDS) -> None:
        """Ask the process to end (SIGTERM), and kill it if it still runs after some seconds."""
        self.ask()
        try:
            if self._child:
                self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def pause(self) -> None:
        """Pause the process (SIGSTOP): it keeps its connections and answers nothing."""
        self._send(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused process go on (SIGCONT)."""
        self._send(signal.SIGCONT)

    def _send(self, number: signal.Signals) -> None:
        if self._child and self._child.poll() is None:
            self._child.send_signal(number)


def wait_for(
    process: LocalProcess, ready: Callable[[], bool], seconds: float, error: type[MainstemError]
) -> None:
    """Wait until a started process is ready, and kill it if it ends or takes too long.

    Args:
        process: the process.
        ready: tells whether the process is ready.
        seconds: time limit.
        error: type of the error to raise.

    Raises:
        MainstemError: of type `error`, if the process is not ready in time. The message quotes
            the end of its log.
    """
    deadline = time.monotonic() + seconds
    try:
        while process.alive and time.monotonic() < deadline:
            if ready():
                return
            time.sleep(_POLL_SECONDS)
        late, ended = f"is not ready after {seconds:.0f} s", f"ended with code {process.code}"
        what = late if process.alive else ended
    except BaseException:
        process.kill()
        raise
    process.kill()
    msg = f"{process.log.stem} {what}; the end of {str(process.log)!r} says:\n{end_of(process.log)}"
    raise error(msg)


def end_of(log: Path, lines: int = 15) -> str:
    """The last lines of a log; "(nothing)" if it is empty."""
    if not log.exists():
        return "(nothing)"
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        text = file.read().decode(errors="replace")
    return "\n".join(text.splitlines()[-lines:]) or "(nothing)"


def is_free(port: int) -> bool:
    """Whether nothing listens on a port of 127.0.0.1."""
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_ports(count: int) -> list[int]:
    """Find different ports that nothing listens on."""
    # subtle: ports from the kernel's range for outgoing connections are left out. While a server is
    # down, its port could be taken, and a client that retries could connect to itself in the end.
    tried = random.SystemRandom().sample(_PORTS, 200)
    return [port for port in tried if is_free(port)][:count]
