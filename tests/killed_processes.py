"""Kill a process of a training at random moments, and compare what the round then gives.

python -m tests.killed_processes --kills 10      two processes on the CPU
python -m tests.killed_processes --forked        without the seconds that each takes to load torch

Each time a random process is killed at a random moment of a training, from its begin to its end;
the training is then begun again, as a round is. It must end without hanging, leave no process
behind, and give the weights of a training that nobody disturbed, bit by bit.
"""

import argparse
import os
import random
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import torch

from mainstem.learning import begun_again
from mainstem.learning.training import one_process, processes
from mainstem.learning.training.fine_tuning import Training, fine_tune
from mainstem.settings import Settings
from tests.learning.samples import learnable
from tests.small_models import scratch_encoder

SETTINGS = Settings.of(
    {
        "model.device": "cpu",
        "model.max_tokens": 24,
        "learning.train_batch": 16,
        "learning.patience": 100,
        "run.processes": 2,
    }
)


def main() -> int:
    """Print a line for each kill; return 1 if one of them changed what comes of the training."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--forked", action="store_true")
    given = parser.parse_args()
    processes._Process = Noted
    if given.forked:
        processes.subprocess.Popen = Forked
    drawn = random.Random(given.seed)
    parent, settings = scratch_encoder(), SETTINGS.but({"learning.epochs": given.epochs})
    samples, held_out = learnable(200), learnable(50, start=200)

    def train() -> Training:
        return fine_tune(parent, samples, held_out, settings, seed=1)

    begun = time.monotonic()
    truth = train().encoder.network.state_dict()
    whole = time.monotonic() - begun
    print(f"undisturbed: {whole:.1f} s", flush=True)
    sound = True
    for number in range(given.kills):
        told: list[str] = []
        after, which = drawn.random() * whole, drawn.randrange(2)
        Noted.pids.clear()
        killer = Thread(target=kill, args=(after, which), daemon=True)
        killer.start()
        begun = time.monotonic()
        found = begun_again(train, told.append).encoder.network.state_dict()  # type: ignore[arg-type]
        took = time.monotonic() - begun
        same = all(torch.equal(found[name], one) for name, one in truth.items())
        left = alive(Noted.pids)
        sound = sound and same and not left
        print(
            f"kill {number + 1}: process {which + 1} after {after:.1f} s; begun again "
            f"{len(told)} times, {took:.1f} s in all; same weights: {same}; left behind: "
            f"{len(left)}",
            flush=True,
        )
        for line in told:
            print(f"  {line}", flush=True)
        killer.join()
    return 0 if sound else 1


class Noted(processes._Process):
    """A process whose id is noted."""

    pids: ClassVar[list[int]] = []

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.pids.append(self.pid)


class Forked:
    """A process that is forked from this one, which has loaded torch and never trained."""

    def __init__(self, command: list[str], **_: Any) -> None:
        (read, to), (of, write) = os.pipe(), os.pipe()
        self.pid = os.fork()
        if not self.pid:
            os.dup2(read, 0)
            os.dup2(write, 1)
            for one in (read, to, of, write):
                os.close(one)
            sys.stdin = os.fdopen(0)
            one_process.main(int(command[3]), int(command[4]), command[5], float(command[6]))
        os.close(read)
        os.close(write)
        self.stdin, self.stdout = os.fdopen(to, "wb"), os.fdopen(of, "rb")

    def kill(self) -> None:
        """Kill it, if it was not waited for."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> int:
        """Wait for its end; return its exit code, below zero if a signal ended it."""
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def alive(pids: list[int]) -> list[int]:
    """Return those of the processes that still are there."""
    return [one for one in pids if Path(f"/proc/{one}").exists()]


def kill(after: float, which: int) -> None:
    """Kill one of the processes some seconds after they were begun, if they still run."""
    while len(Noted.pids) < 2:
        time.sleep(0.001)
    found = Noted.pids[:2]
    time.sleep(after)
    if len(alive(found)) == 2:
        os.kill(found[which], signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
