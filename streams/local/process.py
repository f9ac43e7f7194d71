"""One process on this machine that others depend on: started, ended in every way, and its log read. Knows no Kafka."""

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
    """A child in a session of its own, so that Ctrl-C in the terminal does not reach it.

    Args:
        command: program and arguments.
        log: file that its output is appended to.
        environment: its environment; None: ours.
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
        """Its process id; 0 where it was never started, or has ended."""
        return self._child.pid if self._child and self.alive else 0

    @property
    def alive(self) -> bool:
        """Whether it runs, paused or not."""
        return self._child is not None and self._child.poll() is None

    @property
    def code(self) -> int | None:
        """Its exit code once it has ended; below zero where a signal ended it."""
        return self._child.poll() if self._child else None

    def start(self) -> None:
        """Start it; nothing happens where it runs already."""
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
        """End it, and what it started, at once (SIGKILL)."""
        if self._child is None:
            return
        if self._child.poll() is None:
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()

    def ask(self) -> None:
        """Ask it to end (SIGTERM), also where it is paused."""
        self._send(signal.SIGTERM)
        self._send(signal.SIGCONT)

    def stop(self, seconds: float = _STOP_SECONDS) -> None:
        """Ask it to end, wait so long, then end it."""
        self.ask()
        try:
            if self._child:
                self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def pause(self) -> None:
        """Let it hang (SIGSTOP): it keeps its connections and answers nothing."""
        self._send(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on (SIGCONT)."""
        self._send(signal.SIGCONT)

    def _send(self, number: signal.Signals) -> None:
        if self._child and self._child.poll() is None:
            self._child.send_signal(number)


def wait_for(
    process: LocalProcess, ready: Callable[[], bool], seconds: float, error: type[MainstemError]
) -> None:
    """Wait until a started process is ready; where it will not be, end it.

    Raises:
        MainstemError: of the kind given, quoting the end of the log.
    """
    deadline = time.monotonic() + seconds
    try:
        while process.alive and time.monotonic() < deadline:
            if ready():
                return
            time.sleep(_POLL_SECONDS)
        what = (
            f"is not ready after {seconds:.0f} s"
            if process.alive
            else f"ended with code {process.code}"
        )
    except BaseException:
        process.kill()
        raise
    process.kill()
    msg = f"{process.log.stem} {what}; the end of {str(process.log)!r} says:\n{end_of(process.log)}"
    raise error(msg)


def end_of(log: Path, lines: int = 15) -> str:
    """The last lines of a log; a note where it is empty."""
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
    """Different ports that nothing listens on."""
    # subtle: not those the kernel gives to outgoing connections; one of those may be taken while a server is down,
    # and a client that tries again and again would in the end connect to itself
    tried = random.SystemRandom().sample(_PORTS, 200)
    return [port for port in tried if is_free(port)][:count]
