"""Keeps programs running: whatever they exit with, they are started again, after a pause that grows.

It waits for nothing and checks no health: a program that cannot work yet ends, and is started again.
"""

import json
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mainstem.disk import write_whole

from .process import LocalProcess

__all__ = ["STATE", "Supervisor"]

STATE: Final = "stack.json"
_POLL_SECONDS: Final = 0.2
_FIRST_SECONDS, _LONGEST_SECONDS = 1.0, 30.0
_SETTLED_SECONDS: Final = (
    60.0  # a program that ran for so long begins again with the shortest pause
)
_STOP_SECONDS: Final = 7.0  # a program of ours that was asked ends within six


@dataclass
class _Program:
    process: LocalProcess
    started: float = 0.0
    since: float = 0.0
    restarts: int = 0
    pause: float = 0.0
    due: float | None = 0.0  # when to start it; None while it runs


class Supervisor:
    """Runs programs until it is told to stop; the state is in folder/stack.json, the logs in folder/NAME.log.

    Args:
        programs: command of each, by name.
        folder: of logs and state.
        environment: of all programs.
        clock: seconds that only grow.
        sleep: waits so many seconds.

    Example:
        >>> import sys, tempfile
        >>> supervisor = Supervisor({"one": [sys.executable, "-c", "input()"]}, Path(tempfile.mkdtemp()), {})
        >>> supervisor.step()
        >>> sorted(supervisor.state()["one"])
        ['pid', 'restarts', 'since']
        >>> supervisor.stop()
    """

    def __init__(
        self,
        programs: Mapping[str, Sequence[str]],
        folder: Path,
        environment: Mapping[str, str],
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._folder = folder
        self._clock, self._sleep = clock, sleep
        self._stopping = self._waiting = False
        self._programs = {
            name: _Program(LocalProcess(command, folder / f"{name}.log", environment))
            for name, command in programs.items()
        }

    def run(self, meanwhile: Callable[[], None] = lambda: None) -> float:
        """Keep all running until SIGTERM or SIGINT, then end them; gives the seconds that their end took.

        Args:
            meanwhile: called again and again, and interrupted by a signal: it may wait for long.
        """
        with self._signals():
            try:
                while not self._stopping:
                    with suppress(KeyboardInterrupt):
                        self._waiting = True
                        meanwhile()
                        self._waiting = False
                    if not self._stopping:
                        self.step()
                        self._sleep(_POLL_SECONDS)
            finally:
                begun = self._clock()
                self.stop()
        return self._clock() - begun

    def step(self) -> None:
        """Look at every program once: note those that ended, start those that are due."""
        now, changed = self._clock(), False
        for program in self._programs.values():
            if program.due is None and not program.process.alive:
                grown = min(program.pause * 2, _LONGEST_SECONDS)
                program.pause = (
                    grown if grown and now - program.started < _SETTLED_SECONDS else _FIRST_SECONDS
                )
                program.due = now + program.pause
                program.restarts += 1
                changed = True
            if program.due is not None and program.due <= now:
                program.process.start()
                program.started, program.since, program.due = now, time.time(), None
                changed = True
        if changed:
            self._write()

    def stop(self, seconds: float = _STOP_SECONDS) -> None:
        """Ask all to end, wait so long, then end those that are left."""
        for program in self._programs.values():
            program.process.ask()
        deadline = self._clock() + seconds
        while (
            any(program.process.alive for program in self._programs.values())
            and self._clock() < deadline
        ):
            self._sleep(_POLL_SECONDS)
        for program in self._programs.values():
            program.process.kill()
        self._write()

    def state(self) -> dict[str, dict[str, Any]]:
        """Of each program its process id (0: it does not run), how often it was started again, and since when it runs."""
        return {
            name: {"pid": program.process.pid, "restarts": program.restarts, "since": program.since}
            for name, program in self._programs.items()
        }

    def _write(self) -> None:
        write_whole(self._folder / STATE, json.dumps(self.state(), indent=1).encode())

    @contextmanager
    def _signals(self) -> Iterator[None]:
        numbers = (signal.SIGTERM, signal.SIGINT)
        before = {number: signal.signal(number, self._heard) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _heard(self, *_: object) -> None:
        waited, self._waiting, self._stopping = self._waiting, False, True
        if waited:
            raise KeyboardInterrupt
