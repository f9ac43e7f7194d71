"""Run the command line in processes forked from one that has loaded the large packages.

Six of ten seconds of CPU time of a short replay are imports of torch, transformers and SciPy, so
workers of `make test` run the commands of the fixture `mainstem` this way. Each forked process
still imports mainstem's own modules itself. A new process runs whatever another environment or
another way of starting might change, every command where the tests run one by one, and every
command that a test starts without that fixture.
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
from typing import IO, Any, Final

LOADED: Final = (
    "scipy.special",
    "scipy.stats",
    "torch",
    "torch._dynamo",
    "transformers.models.auto.modeling_auto",
    "transformers.models.bert.modeling_bert",
)
"""chdb and clickhouse_connect start threads when they are imported, which a fork would lose."""
FREE: Final = ("MAINSTEM_", "TMPDIR", "COLUMNS")
"""Variables that nothing reads while it is imported."""


class Forks:
    """Forks processes from one process, which ends when this is closed or its maker ends."""

    def __init__(self) -> None:
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
        """End the process that is forked."""
        self._control.close()
        self._process.wait()

    def takes(self, environment: Mapping[str, str], more: Mapping[str, Any]) -> bool:
        """Return whether a forked process would behave like a new one under these arguments."""
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
        """Run the command line to its end, like `subprocess.run` with captured text."""
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
                    code = int(ours.recv(64))
                except TimeoutError:
                    os.kill(pid, signal.SIGKILL)
                    raise subprocess.TimeoutExpired(list(arguments), timeout) from None
            output.seek(0)
            talk.seek(0)
            return subprocess.CompletedProcess(list(arguments), code, output.read(), talk.read())


def _serve(control: socket.socket) -> tuple[list[str], dict[str, str], str] | None:
    """Fork for each request.

    Returns:
        The request in a forked process; None at the end in the process that is forked.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # no code waits for the first forks
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
    """Fork again; the first process reports how the second ended.

    Returns:
        True in the second process.
    """
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
    with contextlib.suppress(BrokenPipeError):  # the caller may have stopped waiting
        reply.send(str(pid).encode())
        reply.send(str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])).encode())
    os._exit(0)


def _become(arguments: list[str], environment: dict[str, str], folder: str) -> None:
    """Run the command line as `python -m mainstem.cli` does."""
    import numpy as np

    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    tempfile.tempdir = None
    random.seed()
    np.random.seed()  # noqa: NPY002 - the state that the fork copied
    sys.argv[1:] = arguments
    runpy.run_module("mainstem.cli", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    for name in LOADED:
        importlib.import_module(name)
    if asked := _serve(socket.socket(fileno=int(sys.argv[1]))):
        _become(*asked)
