"""A home that goes on, or begins again, on another machine gives what it gave on its own."""

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mainstem.embedded.asked import Asked
from mainstem.embedded.recorded import record
from mainstem.errors import HomeError, MainstemError
from mainstem.learning.training import trial
from mainstem.opening import open_loop
from mainstem.process.machine import Machine
from mainstem.settings import Settings
from tests.conftest import excerpt_lines
from tests.loop.test_known_log import Quiet
from tests.small_models import one_thread

__all__ = ["one_thread"]

PLAIN, GPU = Machine(1), Machine(8, has_gpu=True, has_bfloat16=True)
SMALL = {
    "join.label_window": 60_000,
    "join.grace": 60_000,
    "run.checkpoint_every": 100,
    "learning.round_every": 150,
    "learning.epochs": 1,
    "learning.held_out": 40,
    "learning.gate_margin": 1.0,
    "model.vocabulary": 300,
}
LOWER = SMALL | {"model.device": "cpu", "responses.precision": "bfloat16"}


def replay(
    log: Path,
    home: Path,
    named: dict[str, Any],
    machine: Machine,
    *,
    watcher: Any = None,
    **to: Any,
) -> tuple[Any, list[bytes]]:
    """Replay a log on a pretended machine; return all norms and all weights."""
    with open_loop(
        str(log),
        home,
        Settings.of(named),
        watcher or Quiet(),
        Asked(**to),
        environment={},
        machine=machine,
    ) as loop:
        loop.run()
        rows = loop.store.rows("SELECT sample_id, version, norm FROM responses_now ORDER BY ALL")
    weights = sorted((home / "versions").rglob("weights.safetensors"))
    assert len(weights) > 1
    return rows, [one.read_bytes() for one in weights]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short log."""
    path = tmp_path_factory.mktemp("logs") / "log.jsonl"
    path.write_bytes(b"".join(excerpt_lines(400)))
    return path


@pytest.fixture(scope="module")
def whole(log: Path, tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """A home that scored in bfloat16 on a machine without a GPU, and what it gave."""
    home = tmp_path_factory.mktemp("homes") / "whole"
    return SimpleNamespace(home=home, gave=replay(log, home, LOWER, PLAIN))


@pytest.mark.parametrize("machine", [PLAIN, GPU])
def test_a_home_that_goes_on_elsewhere_ends_as_on_its_own_machine(
    machine: Machine, log: Path, whole: SimpleNamespace, tmp_path: Path
) -> None:
    """Where nobody asks for a device or a precision, those of the home count, not the machine's."""
    dying = SimpleNamespace(block_done=lambda _, line: 1 // (line < 200), round_done=print)
    with pytest.raises(ZeroDivisionError):
        replay(log, tmp_path / "home", LOWER, PLAIN, watcher=dying)
    assert whole.gave == replay(log, tmp_path / "home", SMALL, machine)


def test_a_home_that_begins_again_elsewhere_ends_as_before(
    log: Path, whole: SimpleNamespace, tmp_path: Path
) -> None:
    """A replay from the start repeats what the home recorded, and another precision differs."""
    home = shutil.copytree(whole.home, tmp_path / "home", symlinks=True)
    assert whole.gave == replay(log, home, SMALL, GPU, from_start=True)
    full = SMALL | {"responses.precision": "float32"}
    assert whole.gave != replay(log, home, full, GPU, from_start=True)
    assert "float32" == record(home)["responses.precision"]


@pytest.mark.parametrize(
    "asked", [{"model.model": "nowhere"}, {"learning.train_precision": "float16"}]
)
def test_a_home_that_cannot_begin_again_stays_as_it_is(
    asked: dict[str, str], log: Path, whole: SimpleNamespace, tmp_path: Path
) -> None:
    """A model or a precision of training that is refused takes neither history nor record away."""
    home = shutil.copytree(whole.home, tmp_path / "home", symlinks=True)
    with pytest.raises(MainstemError):
        replay(log, home, SMALL | asked, PLAIN, from_start=True)
    assert record(whole.home) == record(home)
    assert whole.gave == replay(log, home, SMALL, PLAIN)


def test_a_home_keeps_to_what_was_found_out_about_compiling(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the network can be compiled is tried once, and anew where the home begins again."""
    tried: list[bool] = []
    monkeypatch.setattr(trial, "compiles", lambda *_, **__: bool(tried.append(False)))
    asked = SMALL | {"learning.compile": True}
    for times, to in ((1, {}), (1, {}), (2, {"from_start": True})):
        replay(log, tmp_path / "home", asked, PLAIN, **to)
        assert (times, False) == (len(tried), record(tmp_path / "home")["compiled"])


def test_a_home_of_a_gpu_is_refused_without_one_and_stays_as_it_is(
    log: Path, whole: SimpleNamespace, tmp_path: Path
) -> None:
    """Nothing of the home is changed by a replay that is refused."""
    home = shutil.copytree(whole.home, tmp_path / "home", symlinks=True)
    path = home / "settings.json"
    path.write_text(path.read_text().replace('"cpu"', '"cuda"'))
    before = path.read_bytes()
    with pytest.raises(HomeError, match=r"model.device=cuda, and torch sees no GPU here"):
        replay(log, home, SMALL, PLAIN)
    assert before == path.read_bytes()
