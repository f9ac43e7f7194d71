"""Fixtures of many tests: a short log of real purchases, settings for it, and a home made of it."""

import gzip
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.forked import Forks
from tests.sharing import is_worker, made_once

# a busy machine is slow at any moment: tests check behaviour, not time
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

pytest_plugins = ["tests.services.servers", "tests.side_by_side"]

SMALL = {
    "MAINSTEM_LEARNING__ROUND_EVERY": "450",
    "MAINSTEM_STANDING__JUDGE_EVERY": "300",
    "MAINSTEM_RESPONSES__RESCORE_BUDGET": "600",
    "MAINSTEM_LEARNING__HELD_OUT": "200",
    "MAINSTEM_TRUSTED__CANARY_SHARE": "0.1",
    "MAINSTEM_STANDING__CANARY_MINIMUM": "40",
    "MAINSTEM_LEARNING__CORE_MINIMUM": "60",
    "MAINSTEM_LEARNING__EPOCHS": "1",
    "MAINSTEM_LEARNING__GATE_MARGIN": "1",
    "MAINSTEM_RUN__CHECKPOINT_EVERY": "250",
}
"""Settings with which 1,500 lines see several rounds, judgements, core samples and checkpoints."""

Run = Callable[..., subprocess.CompletedProcess[str]]


def excerpt_lines(count: int) -> list[bytes]:
    """The first lines of the shipped excerpt."""
    with (
        (resources.files("mainstem.data") / "online-retail.jsonl.gz").open("rb") as file,
        gzip.open(file) as log,
    ):
        return [line for line, _ in zip(log, range(count), strict=False)]


@pytest.fixture(scope="session")
def small_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1,500 lines of the shipped excerpt."""
    path = tmp_path_factory.mktemp("log") / "small.jsonl"
    path.write_bytes(b"".join(excerpt_lines(1500)))
    return path


@pytest.fixture(scope="session")
def mainstem() -> Iterator[Run]:
    """The command line, in a process of its own."""
    forks = Forks() if is_worker() else None

    def run(
        *arguments: object, defaults: bool = False, **more: Any
    ) -> subprocess.CompletedProcess[str]:
        settings = {
            name: value for name, value in os.environ.items() if not name.startswith("MAINSTEM_")
        }
        environment = {**settings, **({} if defaults else SMALL), **more.pop("env", {})}
        words, more = [*map(str, arguments)], {"timeout": 600, **more}
        if forks and forks.takes(environment, more):
            return forks.run(words, environment, **more)
        command = [sys.executable, "-m", "mainstem.cli", *words]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, **more
        )

    yield run
    if forks:
        forks.close()


@pytest.fixture(scope="session")
def small_home(small_log: Path, tmp_path_factory: pytest.TempPathFactory, mainstem: Run) -> Path:
    """A home in which the short log was replayed; for reading only."""

    def make(folder: Path) -> None:
        done = mainstem("replay", small_log, "--home", folder / "small", "--json")
        assert done.returncode == 0, done.stderr
        (folder / "report.json").write_text(done.stdout)

    made = made_once(tmp_path_factory, "small-home", make)
    # each worker gets a copy, because a command holds the lock of the home that it reads
    homes = tmp_path_factory.mktemp("homes") / "of-this-worker"
    return shutil.copytree(made, homes, symlinks=True) / "small"
