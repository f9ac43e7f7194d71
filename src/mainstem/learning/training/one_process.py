"""One of the processes that train a model together; `processes` begins it as a program.

It reads its job from standard input, and writes what it has to say to standard output: process 0
its answer, and any process the error that ended it.
"""

import os
import pickle
import signal
import sys
from contextlib import suppress
from datetime import timedelta
from threading import Thread

import torch
from torch import distributed

from mainstem.errors import MainstemError
from mainstem.learning.training.fine_tuning import fine_tune
from mainstem.learning.training.processes import Answer, Job
from mainstem.learning.training.ranks import Ranks
from mainstem.models import CrossEncoder
from mainstem.models.device import device_of
from mainstem.process.allocator import keep_freed_memory
from mainstem.process.stopwatch import SPENT

__all__ = ["main"]


def main(number: int, count: int, meeting: str, silent: float) -> None:
    """Train as one of several processes, and end this process.

    Args:
        number: number of this process.
        count: how many there are.
        meeting: path of a file, which does not exist yet, through which they find each other.
        silent: seconds after which a process that does not answer counts as gone.
    """
    # Ctrl-C reaches the one who asked too, and it ends this process
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # subtle: whatever prints here must not get between what is said
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        job: Job = pickle.load(sys.stdin.buffer)  # noqa: S301 - of the process that asked
    except (EOFError, pickle.UnpicklingError):  # it is gone
        os._exit(1)
    Thread(target=_end_with_the_one_who_asked, daemon=True).start()
    said: object
    try:
        said, code = _trained(job, _met(job, number, count, meeting, silent)), 0
    except MainstemError as error:
        said, code = error, 1
    except Exception as error:  # noqa: BLE001 - the one who asked tells it
        line = next(iter(str(error).splitlines()), "")
        said, code = f"{type(error).__name__}: {line}", 1
    with suppress(OSError):  # the one who asked is gone
        out.write(pickle.dumps(said))
        out.flush()
    # subtle: ending otherwise waits for threads that wait for processes that are gone
    os._exit(code)


def _met(job: Job, number: int, count: int, meeting: str, silent: float) -> Ranks:
    """Meet the other processes, and take threads and a device."""
    torch.set_num_threads(job.threads)
    keep_freed_memory()
    device = device_of(job.settings)
    if device.type == "cuda":
        torch.cuda.set_device(number)
    distributed.init_process_group(
        "nccl" if device.type == "cuda" else "gloo",
        init_method=f"file://{meeting}",
        rank=number,
        world_size=count,
        timeout=timedelta(seconds=silent),
    )
    return Ranks(number, count, distributed.all_reduce, device)


def _trained(job: Job, ranks: Ranks) -> Answer | None:
    """Train this process's part; the answer of process 0, None of the others."""
    parent = CrossEncoder(job.network, job.tokenizer)
    held_out = job.held_out if ranks.leads else []
    with SPENT.counting() as costs:
        done = fine_tune(
            parent, job.samples, held_out, job.settings, job.seed, job.importance, ranks
        )
    if not ranks.leads:
        return None
    state = done.encoder.network.state_dict()
    weights = {name: one.cpu() for name, one in state.items()}
    return Answer(weights, done.epochs, done.steps, done.held_out, costs["train"])


def _end_with_the_one_who_asked() -> None:
    os.read(0, 1)  # there is nothing more to read: it returns once the pipe is closed
    os._exit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], float(sys.argv[4]))
