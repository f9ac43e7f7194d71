"""How workers divide the tests, and what they share."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import side_by_side
from tests.forked import Forks
from tests.sharing import made_once

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    """Commands in forked processes."""
    made = Forks()
    yield made
    made.close()


def test_what_comes_first_is_there() -> None:
    """Each file and group that is named exists: a file that was renamed would come last."""
    files = {path for path in side_by_side.FIRST if path.endswith(".py")}
    assert [] == [path for path in files if not (ROOT / path).exists()]
    assert set(side_by_side.FIRST) - files <= set(side_by_side.GROUPS.values())
    assert all((ROOT / path).exists() for path in side_by_side.GROUPS)


@pytest.mark.parametrize(("cores", "workers"), [(1, 0), (2, 2), (3, 3), (64, side_by_side.MOST)])
def test_there_are_as_many_workers_as_cores(
    cores: int, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On one core the tests run in one process, and on a large machine in a few."""
    monkeypatch.setattr(side_by_side, "available_threads", lambda: cores)
    assert workers == side_by_side.pytest_xdist_auto_num_workers()


def test_a_shared_folder_is_made_once(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A second call returns the folder that the first made; after a failure it is made again."""
    name, made = f"of-a-test-{os.getpid()}", []

    def make(folder: Path) -> None:
        made.append(folder)
        if len(made) == 1:
            msg = "the disk is full"
            raise OSError(msg)
        (folder / "file").write_text("whole")

    with pytest.raises(OSError, match="full"):
        made_once(tmp_path_factory, name, make)
    for _ in range(2):
        folder = made_once(tmp_path_factory, name, make)
        assert "whole" == (folder / "file").read_text()
    assert 2 == len(made)


@pytest.mark.parametrize(
    "arguments", [("--version",), ("settings", "--json"), ("nothing",), ("sets", "--home", "none")]
)
def test_a_forked_command_is_like_one_started_anew(
    arguments: tuple[str, ...], forks: Forks, tmp_path: Path
) -> None:
    """Exit code, stdout and stderr are the same, in a given folder and environment."""
    environment = {**os.environ, "MAINSTEM_JOIN__GRACE": "5m"}
    command = [sys.executable, "-m", "mainstem.cli", *arguments]
    anew = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    forked = forks.run(arguments, environment, cwd=tmp_path, timeout=300)
    assert (anew.returncode, anew.stdout, anew.stderr) == (
        forked.returncode,
        forked.stdout,
        forked.stderr,
    )


def test_a_forked_command_reads_what_it_is_given(forks: Forks) -> None:
    """The command reads text from standard input, and is killed if it takes too long."""
    line = json.dumps({"type": "view"})
    done = forks.run(["validate", "-", "--json"], dict(os.environ), input=line, timeout=300)
    assert (1, 1) == (done.returncode, json.loads(done.stdout)["lines"])
    with pytest.raises(subprocess.TimeoutExpired):
        forks.run(["demo", "--help"], dict(os.environ), timeout=0.0001)


def test_another_environment_gets_a_process_of_its_own(forks: Forks) -> None:
    """A command is not forked if a variable that Python or a library reads on start differs."""
    same = {**os.environ, "MAINSTEM_RUN__SEED": "3", "TMPDIR": "/tmp"}
    assert forks.takes(same, {"timeout": 3, "cwd": "."})
    assert not forks.takes({**same, "PYTHONHASHSEED": "7"}, {})
    assert not forks.takes({**same, "OMP_NUM_THREADS": "63"}, {})
    assert not forks.takes({}, {})
    assert not forks.takes(same, {"preexec_fn": print})
