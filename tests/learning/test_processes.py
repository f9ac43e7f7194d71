"""Trainings on several real processes: what they give, and how they end if one of them dies."""

import os
import signal
import time
from pathlib import Path
from queue import SimpleQueue
from tempfile import gettempdir
from threading import Thread

import numpy as np
import pytest

from mainstem.errors import NonFiniteError, ProcessError, SettingError
from mainstem.join import examples_of
from mainstem.learning import begun_again
from mainstem.learning.training import processes
from mainstem.learning.training.fine_tuning import fine_tune
from mainstem.learning.training.processes import check_processes, train_on_processes
from mainstem.models import ActiveVersion
from mainstem.process.stopwatch import SPENT
from mainstem.settings import Settings
from tests.learning.samples import learnable
from tests.learning.stepping import still
from tests.small_models import given_encoder, scratch_encoder

# 5 steps for each pass: four of 7 samples, and one of a single sample, fewer than processes
SAMPLES, HELD_OUT = learnable(29), learnable(20, start=29)
SETTINGS = Settings.of(
    {
        "model.device": "cpu",
        "model.max_tokens": 24,
        "learning.train_batch": 7,
        "learning.epochs": 4,
        "learning.patience": 4,
        "learning.learning_rate": 0.001,
        "learning.averaged": 0.0,
    }
)
ENDLESS = SETTINGS.but({"run.processes": 2, "learning.epochs": 100_000})


def children() -> list[int]:
    """Return the processes that this one has begun and that train, in order."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            trains = b"one_process" in (folder / "cmdline").read_bytes()
        except OSError:  # it has ended meanwhile
            continue
        if trains and parent == os.getpid():
            found.append(int(folder.name))
    return sorted(found)


def test_two_processes_learn_what_one_learns() -> None:
    """After 20 steps on uneven parts, some of them empty, no logit differs by more than 1e-5."""
    parent, found, costs = still(scratch_encoder()), [], []
    for count in (1, 2):
        with SPENT.counting() as cost:
            settings = SETTINGS.but({"run.processes": count})
            found.append(fine_tune(parent, SAMPLES, HELD_OUT, settings, seed=1))
        costs.append(cost["train"][:3])
    one, two = found
    assert (20, one.steps, one.epochs) == (one.steps, two.steps, two.epochs)
    assert pytest.approx(costs[0]) == costs[1]
    alone, together = (
        ActiveVersion(each.encoder, SETTINGS).logits(examples_of(SAMPLES)) for each in found
    )
    before = ActiveVersion(parent, SETTINGS).logits(examples_of(SAMPLES))
    assert np.abs(alone - together).max() <= 1e-5
    assert np.abs(one.held_out - two.held_out).max() <= 1e-5
    assert np.abs(alone - before).max() > 0.1


@pytest.mark.parametrize(("number", "has_met"), [(0, False), (1, True)])
def test_a_killed_process_ends_the_training(number: int, has_met: bool) -> None:
    """Before it began or in the midst of it, one error says which was ended, and none is left."""
    scratch = f"mainstem-processes-{os.getpid()}-*"

    def kill() -> None:
        while len(found := children()) < 2:
            time.sleep(0.01)
        while has_met and not list(Path(gettempdir()).glob(f"{scratch}/meeting")):
            time.sleep(0.01)
        time.sleep(0.5 * has_met)
        os.kill(found[number], signal.SIGKILL)

    Thread(target=kill, daemon=True).start()
    with pytest.raises(ProcessError, match=rf"^process {number + 1} of the 2 .* SIGKILL"):
        fine_tune(still(given_encoder()), SAMPLES, HELD_OUT, ENDLESS, seed=1)
    assert ([], []) == (children(), list(Path(gettempdir()).glob(scratch)))


def test_a_process_that_hangs_counts_as_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Others wait for it as long as they may, and then end the training."""

    def stop() -> None:
        while len(found := children()) < 2:
            time.sleep(0.01)
        os.kill(found[1], signal.SIGSTOP)

    monkeypatch.setattr(processes, "_LAST_WORDS", 0.5)
    Thread(target=stop, daemon=True).start()
    with pytest.raises(ProcessError, match=r"^process 1 of the 2 .* exit code 1: .*Error"):
        train_on_processes(still(given_encoder()), SAMPLES, HELD_OUT, ENDLESS, 1, silent=1.0)
    assert [] == children()


def ended(number: int, code: int, said: object = None) -> processes._Ended:
    """Return a process that has ended so."""
    return processes._Ended(number, code, b"" if said is None else processes.pickle.dumps(said))


@pytest.mark.parametrize(
    ("others", "error", "told"),
    [
        # a number that is not finite ends the round, as in one process
        ([ended(1, 1, "RuntimeError: gone"), ended(0, 1, NonFiniteError("bad"))], "", "bad"),
        # the killed process is the reason, not the one that misses it
        ([ended(0, 1, "RuntimeError: gone"), ended(1, -9)], "process 2 of the 2", "SIGKILL"),
        ([ended(1, 1, "OutOfMemoryError: 2 GiB")], "process 2 of the 2", "code 1: OutOfMemory"),
        ([ended(1, 1)], "process 2 of the 2", "with exit code 1;"),
    ],
)
def test_the_reason_is_that_of_the_process_that_failed_first(
    others: list[processes._Ended],
    error: str,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What a process raised is raised here, and else it is told how the first of them ended."""
    monkeypatch.setattr(processes, "_LAST_WORDS", 0.01)
    queue: SimpleQueue[processes._Ended] = SimpleQueue()
    for one in others:
        queue.put(one)
    with pytest.raises(NonFiniteError if not error else ProcessError, match=told) as raised:
        processes._answer_of(queue, 2)
    assert str(raised.value).startswith(error)


def test_the_answer_is_that_of_the_first_process() -> None:
    """Others have nothing to say, and may end before it."""
    queue: SimpleQueue[processes._Ended] = SimpleQueue()
    for one in (ended(1, 0), ended(0, 0, "the weights")):
        queue.put(one)
    assert "the weights" == processes._answer_of(queue, 2)


def test_a_round_is_begun_again_three_times() -> None:
    """A round whose process died is run again, which is told, and the third error is raised."""
    told: list[str] = []

    def round_of(failures: list[int]) -> str:
        if failures:
            failures.pop()
            msg = "process 1 was ended by SIGKILL"
            raise ProcessError(msg)
        return "done"

    assert "done" == begun_again(lambda left=[0, 0]: round_of(left), told.append)
    assert ["process 1 was ended by SIGKILL; the round is begun again"] * 2 == told
    with pytest.raises(ProcessError, match="SIGKILL"):
        begun_again(lambda left=[0, 0, 0]: round_of(left), told.append)


def test_more_processes_than_gpus_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says how many there are, and what to set."""
    monkeypatch.setattr(processes.torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(processes.torch.distributed, "is_nccl_available", lambda: True)
    with pytest.raises(SettingError, match=r"torch sees 1; set MAINSTEM_RUN__PROCESSES to at most"):
        check_processes(Settings.of({"model.device": "cuda", "run.processes": 2}))
    check_processes(Settings.of({"model.device": "cpu", "run.processes": 2}))
