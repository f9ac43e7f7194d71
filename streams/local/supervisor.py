"""Keeps programs running: a program that exits is started again, after a pause that grows.

The supervisor does not wait for dependencies and checks no health. A program that cannot work yet
exits, and is started again.
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
# after a run of this length, a program starts again after the shortest pause
_SETTLED_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 7.0  # our programs end within six seconds of SIGTERM


@dataclass
class _Program:
    process: LocalProcess
    started: float = 0.0
    since: float = 0.0
    restarts: int = 0
    pause: float = 0.0
    due: float | None = 0.0  # when to start it; None while it runs


class Supervisor:
    """Runs programs until a signal ends it.

    It writes its state to stack.json in the folder, and the output of each program to NAME.log.

    Args:
        programs: commands of the programs, by name.
        folder: folder of logs and state.
        environment: environment of all programs.
        clock: gives seconds that only grow.
        sleep: waits for a number of seconds.

    Example:
        >>> import sys, tempfile
        >>> programs = {"one": [sys.executable, "-c", "input()"]}
        >>> supervisor = Supervisor(programs, Path(tempfile.mkdtemp()), {})
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
        """Keep all programs running until SIGTERM or SIGINT, then end them.

        Args:
            meanwhile: called again and again between looks at the programs. It may take long,
                because a signal interrupts it.

        Returns:
            The seconds that the end of the programs took.
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
        """Look at every program once: note those that have ended, and start those that are due."""
        now, changed = self._clock(), False
        for program in self._programs.values():
            if program.due is None and not program.process.alive:
                grown = min(program.pause * 2, _LONGEST_SECONDS)
                settled = now - program.started >= _SETTLED_SECONDS
                program.pause = grown if grown and not settled else _FIRST_SECONDS
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
        """Ask all programs to end (SIGTERM), and kill those that still run after some seconds."""
        processes = [program.process for program in self._programs.values()]
        for process in processes:
            process.ask()
        deadline = self._clock() + seconds
        while any(process.alive for process in processes) and self._clock() < deadline:
            self._sleep(_POLL_SECONDS)
        for process in processes:
            process.kill()
        self._write()

    def state(self) -> dict[str, dict[str, Any]]:
        """State of each program, by name.

        Returns:
            `pid`, the process id, 0 if the program does not run; `restarts`, how often it was
            started again; `since`, the time of its last start in seconds since 1970 UTC.
        """
        return {
            name: {"pid": program.process.pid, "restarts": program.restarts, "since": program.since}
            for name, program in self._programs.items()
        }

    def _write(self) -> None:
        write_whole(self._folder / STATE, json.dumps(self.state(), indent=1).encode())

    @contextmanager
    def _signals(self) -> Iterator[None]:
        numbers = (signal.SIGTERM, signal.SIGINT)
        before = {number: signal.signal(number, self._on_signal) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, *_: object) -> None:
        waited, self._waiting, self._stopping = self._waiting, False, True
        if waited:
            raise KeyboardInterrupt
