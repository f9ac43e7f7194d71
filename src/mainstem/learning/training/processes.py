"""Training on several processes of this machine: they are begun, watched and ended here.

The process that asks for a training takes no part in it. It begins the others, hands each of them
the model and the samples through a pipe, and waits: for the weights that process 0 hands back, or
for the first process that ends without having done its part. Then it ends those that are left.
Nothing is written meanwhile, so a training that fails leaves nothing behind, and can be begun
again.

A process ends by itself if whoever asked is gone, because its pipe is closed then, and if another
process does not answer for `_SILENT` seconds.
"""

import logging
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mainstem.errors import MainstemError, ProcessError, SettingError
from mainstem.join import PlacedSample
from mainstem.models import CrossEncoder
from mainstem.models.device import device_of
from mainstem.process.stopwatch import Cost
from mainstem.settings import Settings

__all__ = ["Answer", "Job", "check_processes", "train_on_processes"]

_LOG: Final = logging.getLogger("mainstem.learn")
_PROGRAM: Final = "mainstem.learning.training.one_process"
_SILENT: Final = 1800.0  # seconds; process 0 may measure that long while the others wait
_LAST_WORDS: Final = 5.0  # seconds in which the others fail by themselves and say why


class Job(NamedTuple):
    """What each process gets; see `fine_tune`.

    Attributes:
        network, tokenizer: the model to train a copy of, on the CPU.
        threads: how many threads each process computes with.
    """

    network: Any
    tokenizer: Any
    samples: Sequence[PlacedSample]
    held_out: Sequence[PlacedSample]
    settings: Settings
    seed: int
    importance: Sequence[float] | None
    threads: int


class Answer(NamedTuple):
    """What process 0 hands back.

    Attributes:
        weights: the trained weights by name, on the CPU.
        epochs, steps, held_out: see `Training`.
        cost: what the training cost: the passes of all processes, and the seconds of process 0.
    """

    weights: dict[str, Tensor]
    epochs: int
    steps: int
    held_out: NDArray[np.float64] | None
    cost: Cost


def check_processes(settings: Settings) -> None:
    """Refuse a number of processes that this machine cannot train with.

    Raises:
        SettingError: if torch was built without what processes talk through, or there are fewer
            GPUs than processes.
    """
    count, is_gpu = settings.run.processes, device_of(settings).type == "cuda"
    if count == 1:
        return
    there = torch.distributed.is_available() and (
        torch.distributed.is_nccl_available() if is_gpu else torch.distributed.is_gloo_available()
    )
    if not there:
        msg = (
            f"run.processes is {count}, and this torch was built without "
            f"{'nccl' if is_gpu else 'gloo'}; set MAINSTEM_RUN__PROCESSES=1"
        )
        raise SettingError(msg)
    if is_gpu and torch.cuda.device_count() < count:
        msg = (
            f"run.processes is {count}, each process takes a GPU, and torch sees "
            f"{torch.cuda.device_count()}; set MAINSTEM_RUN__PROCESSES to at most that, or "
            "MAINSTEM_MODEL__DEVICE=cpu"
        )
        raise SettingError(msg)


def train_on_processes(
    parent: CrossEncoder,
    samples: Sequence[PlacedSample],
    held_out: Sequence[PlacedSample],
    settings: Settings,
    seed: int,
    importance: Sequence[float] | None = None,
    *,
    silent: float = _SILENT,
) -> Answer:
    """Train a copy of a model on `run.processes` new processes of this machine.

    The threads of this process are shared out among them. On GPUs each process takes one.

    Args:
        parent, samples, held_out, settings, seed, importance: see `fine_tune`; the network of
            `parent` is moved to the CPU.
        silent: seconds after which a process that does not answer counts as gone.

    Raises:
        ProcessError: if a process ends without having done its part.
        SettingError: if this machine cannot train with so many processes.
        MainstemError: whatever the training itself raises; see `fine_tune`.
    """
    check_processes(settings)
    count = settings.run.processes
    threads = max(torch.get_num_threads() // count, 1)
    job = Job(
        parent.network.cpu(),
        parent.tokenizer,
        samples,
        held_out,
        settings,
        seed,
        importance,
        threads,
    )
    payload = pickle.dumps(job)
    ended: SimpleQueue[_Ended] = SimpleQueue()
    with (
        TemporaryDirectory(prefix=f"mainstem-processes-{os.getpid()}-") as folder,
        ExitStack() as begun,
    ):
        given, pids = [str(count), str(Path(folder) / "meeting"), str(silent)], []
        for number in range(count):
            one = _Process(number, given, payload, ended)
            begun.callback(one.end)
            pids.append(one.pid)
        _LOG.info("training on processes %s", ", ".join(map(str, pids)))
        return _answer_of(ended, count)


class _Ended(NamedTuple):
    """A process that has ended: its number, its exit code, and all that it said."""

    number: int
    code: int
    said: bytes


class _Process:
    """One process, from its begin to its end.

    Args:
        number: its number.
        given: further arguments of its program.
        payload: the job, pickled.
        ended: gets the process once it has ended.
    """

    def __init__(
        self, number: int, given: Sequence[str], payload: bytes, ended: "SimpleQueue[_Ended]"
    ) -> None:
        self._number, self._payload, self._ended = number, payload, ended
        self._child = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", _PROGRAM, str(number), *given],
            env=_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._threads = [Thread(target=one, daemon=True) for one in (self._give, self._hear)]
        for one in self._threads:
            one.start()

    @property
    def pid(self) -> int:
        """Process id."""
        return self._child.pid

    def end(self) -> None:
        """End the process at once, if it still runs."""
        self._child.kill()
        for one in self._threads:
            one.join(_LAST_WORDS)
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe:
                with suppress(OSError):  # what was not taken any more
                    pipe.close()

    def _give(self) -> None:
        """Hand over the job. The pipe stays open: a process whose pipe is closed ends itself."""
        if self._child.stdin:
            with suppress(OSError):  # it has ended, and `_hear` says so
                self._child.stdin.write(self._payload)
                self._child.stdin.flush()

    def _hear(self) -> None:
        said = self._child.stdout.read() if self._child.stdout else b""
        self._ended.put(_Ended(self._number, self._child.wait(), said))


def _environment() -> dict[str, str]:
    """The environment of a process: it finds what this one finds, and talks on this machine."""
    found = {**os.environ, "PYTHONPATH": os.pathsep.join(one for one in sys.path if one)}
    names = [name for _, name in socket.if_nameindex()]
    if loopback := next((name for name in names if name.startswith("lo")), ""):
        found.setdefault("GLOO_SOCKET_IFNAME", loopback)
    return found


def _answer_of(ended: "SimpleQueue[_Ended]", count: int) -> Answer:
    """Wait for the answer of process 0.

    Raises:
        ProcessError: if a process ends without having done its part.
        MainstemError: what a process raised.
    """
    found: list[_Ended] = []
    until: float | None = None
    while len(found) < count:
        left = None if until is None else max(until - time.monotonic(), 0.0)
        try:
            found.append(ended.get(timeout=left))
        except Empty:
            break
        if found[-1].number == 0 and not found[-1].code:
            answer: Answer = pickle.loads(found[-1].said)  # noqa: S301 - of our own process
            return answer
        if found[-1].code < 0 or isinstance(_said(found[-1]), MainstemError):
            break
        # a process may only say that another one is gone, which says more
        if found[-1].code and until is None:
            until = time.monotonic() + _LAST_WORDS
    raise _reason([one for one in found if one.code], count)


def _said(one: _Ended) -> object:
    """What a process said before it ended; None if it said nothing, or was killed while it did."""
    try:
        return pickle.loads(one.said)  # noqa: S301 - of our own process
    except (EOFError, pickle.UnpicklingError):
        return None


def _reason(failed: Sequence[_Ended], count: int) -> MainstemError:
    """Why a training failed: what one of its processes raised, or how the first of them ended."""
    said = [(one, _said(one)) for one in failed]
    raised = [what for _, what in said if isinstance(what, MainstemError)]
    if raised:
        return raised[0]
    # a process that was killed makes the others fail, and these say only that it is gone
    one, what = min(said, key=lambda pair: (pair[0].code >= 0, pair[1] is not None))
    how = f"ended with exit code {one.code}"
    if one.code < 0:
        how = f"was ended by {signal.Signals(-one.code).name}"
    return ProcessError(
        f"process {one.number + 1} of the {count} of a training {how}{f': {what}' if what else ''};"
        " nothing was kept of the training; if it happens again, the machine may have too little "
        "memory: set MAINSTEM_RUN__PROCESSES lower"
    )
