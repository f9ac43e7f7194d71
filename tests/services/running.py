"""Start some programs of a deployment by name, hold them in a state, and ask them to end."""

import json
import signal
import sys
import textwrap
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from mainstem.streams.local.process import LocalProcess, free_ports
from tests.services.deployed import CLI, Deployment

PROGRAMS: Final[Mapping[str, tuple[str, ...]]] = {
    "join": ("stream", "join"),
    "sink": ("stream", "sink"),
    "score": ("train", "score"),
    "learn": ("train", "learn"),
}
ENDS_WITHIN: Final = 10.0  # seconds
HANGING = """
    import ctypes, sys, threading
    from importlib import import_module
    from pathlib import Path
    from mainstem.cli.main import main
    sign, module, name = sys.argv[1:4]
    sys.argv[1:4] = []
    owner, _, attribute = name.rpartition(".")
    within = getattr(import_module(module), owner) if owner else import_module(module)

    def hang(*_, **__):
        Path(sign).touch()
        held, lock = ctypes.create_string_buffer(64), ctypes.CDLL(None).pthread_mutex_lock
        lock(held)
        lock(held)

    setattr(within, attribute, hang)
    main()
"""
"""Runs mainstem with one function replaced: it touches a file and hangs in C.

No signal interrupts that call.
"""


class Running:
    """Some programs of a deployment, each with a page of its health.

    Args:
        deployment: deployment whose environment the programs get.
        programs: commands by name.
        more: environment variables that are set on top of the deployment's.
        session: seconds of silence after which another member takes over.
    """

    def __init__(
        self,
        deployment: Deployment,
        programs: Mapping[str, Sequence[str]] = PROGRAMS,
        more: Mapping[str, str] | None = None,
        session: float = 20.0,
    ) -> None:
        self._ports = dict(zip(programs, free_ports(len(programs)), strict=True))
        silence = ["--session-timeout", str(session)]
        self.processes = {
            name: LocalProcess(
                [
                    *(() if words[0] == sys.executable else CLI),
                    *words,
                    *silence,
                    "--http",
                    f"127.0.0.1:{self._ports[name]}",
                ],
                deployment.folder / f"{name}.log",
                {**deployment.environment, **(more or {})},
            )
            for name, words in programs.items()
        }
        for process in self.processes.values():
            process.start()

    def ready(self) -> bool:
        """Return whether all programs report that they are well."""
        return all(self._is_well(port) for port in self._ports.values())

    def end(self, *numbers: signal.Signals) -> dict[str, tuple[int | None, bool]]:
        """Ask all programs to end and wait for ten seconds.

        Args:
            numbers: signals to send, SIGTERM if none is given.

        Returns:
            For each program its exit code, and whether it ended in time.
        """
        for number in numbers or (signal.SIGTERM,):
            for process in self.processes.values():
                process._send(number)
        deadline = time.monotonic() + ENDS_WITHIN
        while (
            any(process.alive for process in self.processes.values())
            and time.monotonic() < deadline
        ):
            time.sleep(0.05)
        found = {
            name: (process.code, not process.alive) for name, process in self.processes.items()
        }
        self.kill()
        return found

    def kill(self) -> None:
        """Kill the programs that are left."""
        for process in self.processes.values():
            process.kill()

    @staticmethod
    def _is_well(port: int) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def hanging(words: Sequence[str], module: str, name: str, sign: Path) -> list[str]:
    """Return a command that hangs in a function after it has touched `sign`."""
    return [sys.executable, "-c", textwrap.dedent(HANGING), str(sign), module, name, *words]


def sql(deployment: Deployment, query: str) -> list[dict[str, object]]:
    """Ask the history of a deployment."""
    done = deployment.run("sql", "--store", deployment.store, "--json", query)
    return [json.loads(line) for line in done.stdout.splitlines()]
