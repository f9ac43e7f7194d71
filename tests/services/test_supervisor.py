"""The supervisor restarts programs, whatever their exit code, until it is asked to end."""

import os
import signal
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest

from mainstem.streams.local.supervisor import Supervisor
from tests.services.processes import SLEEP, is_alive, until


class Clock:
    """A clock that moves only by sleeping."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        """Move the clock forward, and give real processes a little time."""
        self.now += seconds
        time.sleep(0.01)


@pytest.mark.parametrize("code", [0, 1])
def test_a_program_that_ends_is_started_again_later_and_later(tmp_path: Path, code: int) -> None:
    """A program that ends is started again after 1 s, 2 s, 4 s and so on up to 30 s."""
    clock = Clock()
    program = [sys.executable, "-c", f"exit({code})"]
    supervisor = Supervisor({"one": program}, tmp_path, os.environ, clock=clock, sleep=clock.sleep)
    starts: list[float] = []
    for _ in range(8):
        restarts = supervisor.state()["one"]["restarts"]
        supervisor.step()  # start the program
        starts.append(clock.now)
        until(
            lambda: (
                supervisor.step() or supervisor.state()["one"]["restarts"] > restarts  # noqa: B023
            )
        )
        while supervisor._programs["one"].due is not None:
            clock.now += 0.5
            supervisor.step()
    assert [1, 2, 4, 8, 16, 30, 30] == [later - now for now, later in pairwise(starts)]
    supervisor.stop()


def test_a_program_that_ran_for_a_minute_is_started_again_at_once(tmp_path: Path) -> None:
    """A program that ran for 60 s is started again after one second."""
    clock = Clock()
    supervisor = Supervisor({"one": SLEEP}, tmp_path, os.environ, clock=clock, sleep=clock.sleep)
    program = supervisor._programs["one"]
    for ran, pause in [(0, 1), (0, 2), (59, 4), (60, 1), (0, 2)]:
        while program.due is not None:
            clock.now += 0.5
            supervisor.step()
        clock.now += ran - (clock.now - program.started)
        program.process.kill()
        supervisor.step()
        assert pause == program.pause
    supervisor.stop()


def test_a_program_that_does_not_end_is_ended(tmp_path: Path) -> None:
    """A program that ignores SIGTERM is killed when its time is up."""
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        "print('deaf', flush=True); time.sleep(1000)"
    )
    clock = Clock()
    program = [sys.executable, "-c", deaf]
    supervisor = Supervisor({"deaf": program}, tmp_path, os.environ, clock=clock, sleep=clock.sleep)
    supervisor.step()
    pid = supervisor.state()["deaf"]["pid"]
    until(lambda: "deaf" in (tmp_path / "deaf.log").read_text())
    supervisor.stop()
    assert not is_alive(pid)
    assert clock.now >= 1007


def test_a_signal_ends_also_the_wait_for_what_is_started_again(tmp_path: Path) -> None:
    """A supervisor that is asked to end does not wait for a server that is starting again."""
    came_back = []

    def meanwhile() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(20)
        came_back.append("a server")

    supervisor = Supervisor({"one": SLEEP}, tmp_path, os.environ)
    supervisor.step()
    pid = supervisor.state()["one"]["pid"]
    supervisor.run(meanwhile)
    assert [] == came_back
    assert not is_alive(pid)
