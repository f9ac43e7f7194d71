"""Runs commands in processes that are forked from one that has imported the large packages.

Imports of torch, transformers and SciPy are most of the CPU time of a short replay: six of ten
seconds. Workers of `make test` therefore run the commands of the fixture `mainstem` in forked
processes. Each process still imports the modules of mainstem itself.

A command gets a process of its own, started anew, if its environment or its way of starting could
change the outcome (see `Forks.takes`). So do all commands if the tests run one after the other, and
all processes that a test starts without the fixture.
"""

import contextlib
import importlib
import json
import os
import random
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, ClassVar, Final

LOADED: Final = (
    "scipy.special",
    "scipy.stats",
    "torch",
    "torch._dynamo",
    "transformers.models.auto.modeling_auto",
    "transformers.models.bert.modeling_bert",
)
"""subtle: not chdb, which starts threads when it is imported; a forked process would lack them."""
FREE: Final = ("MAINSTEM_", "TMPDIR", "COLUMNS")
"""Prefixes of variables that no package reads while it is imported."""


class Forks:
    """Starts processes by forking a process that has imported `LOADED`.

    That process ends when this is closed, or when the process that made this ends.

    Attributes:
        computed: CPU seconds of all processes that have ended.
        open: all that were made in this process.
    """

    open: ClassVar[list["Forks"]] = []

    def __init__(self) -> None:
        self.computed = 0.0
        self.open.append(self)
        self._environment = {**os.environ, "GOMP_SPINCOUNT": "1000"}  # as the command line sets it
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.forked", str(theirs.fileno())],
                cwd=Path(__file__).parents[1],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )

    def close(self) -> None:
        """End the process from which others are forked."""
        self._control.close()
        self._process.wait()

    def takes(self, environment: Mapping[str, str], more: Mapping[str, Any]) -> bool:
        """Whether a forked process behaves as one started anew would.

        Args:
            environment: environment of the process.
            more: further arguments of `subprocess.run`.
        """
        differing = {
            name
            for name, _ in environment.items() ^ self._environment.items()
            if not name.startswith((*FREE, "GOMP_SPINCOUNT", "PYTEST_CURRENT_TEST"))
        }
        return not differing and more.keys() <= {"cwd", "input", "stdin", "timeout"}

    def run(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        *,
        cwd: Path | str = ".",
        input: str = "",  # noqa: A002 - as subprocess names it
        stdin: IO[Any] | None = None,
        timeout: float,
    ) -> subprocess.CompletedProcess[str]:
        """Run `mainstem` to its end, like `subprocess.run` with its output captured as text."""
        request = json.dumps([list(arguments), dict(environment), str(Path(cwd).absolute())])
        with (
            tempfile.TemporaryFile("w+") as given,
            tempfile.TemporaryFile("w+") as output,
            tempfile.TemporaryFile("w+") as talk,
        ):
            given.write(input)
            given.seek(0)
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with ours:
                with theirs:
                    files = [one.fileno() for one in (stdin or given, output, talk, theirs)]
                    socket.send_fds(self._control, [request.encode()], files)
                pid = int(ours.recv(64))
                ours.settimeout(timeout)
                try:
                    code, seconds = ours.recv(64).split()
                except TimeoutError:
                    os.kill(pid, signal.SIGKILL)
                    raise subprocess.TimeoutExpired(list(arguments), timeout) from None
            self.computed += float(seconds)
            output.seek(0)
            talk.seek(0)
            return subprocess.CompletedProcess(
                list(arguments), int(code), output.read(), talk.read()
            )


def _serve(control: socket.socket) -> tuple[list[str], dict[str, str], str] | None:
    """Fork for each request. Returns the request in the forked process, and None at the end."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the processes forked here
    while True:
        request, files, _, _ = socket.recv_fds(control, 1 << 20, 4)
        if not request:
            return None
        if not os.fork() and _is_forked(files):
            control.close()
            return json.loads(request)
        for one in files:
            os.close(one)


def _is_forked(files: Sequence[int]) -> bool:
    """Fork again. Returns True in the new process; the other reports how the new one ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pid = os.fork()
    if not pid:
        for own, file in enumerate(files[:3]):
            os.dup2(file, own)
        for file in files:
            os.close(file)
        return True
    for file in files[:3]:
        os.close(file)
    reply = socket.socket(fileno=files[3])
    with contextlib.suppress(BrokenPipeError):  # the test has stopped waiting
        reply.send(str(pid).encode())
        _, status, used = os.wait4(pid, 0)
        code = os.waitstatus_to_exitcode(status)
        reply.send(f"{code} {used.ru_utime + used.ru_stime}".encode())
    os._exit(0)


def _become(arguments: list[str], environment: dict[str, str], folder: str) -> None:
    """Run the command line as `python -m mainstem.cli` does."""
    import numpy as np

    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    tempfile.tempdir = None
    random.seed()
    np.random.seed()  # noqa: NPY002 - the fork has copied the old state
    sys.argv[1:] = arguments
    runpy.run_module("mainstem.cli", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    for name in LOADED:
        importlib.import_module(name)
    if asked := _serve(socket.socket(fileno=int(sys.argv[1]))):
        _become(*asked)
