"""Figures of rounds go to the tool that a user chose, and to none by default."""

import sys
from contextlib import AbstractContextManager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mainstem.bootstrap import open_tracker
from mainstem.errors import SettingError
from mainstem.settings import Settings
from mainstem.tracking import Forgiving, Tracker
from mainstem.tracking.mlflow import MLflow, tracking_uri
from mainstem.tracking.tensorboard import TensorBoard
from mainstem.tracking.wandb import WandB

FIGURES = {"auc_after": 0.75, "costs/train/seconds": 2.0}
TOLD = {(name, value, version) for name, value in FIGURES.items() for version in (3, 4)}


class FakeWriter:
    """Takes the place of TensorBoard's writer."""

    def __init__(self) -> None:
        self.told, self.flushed, self.closed = set[tuple[str, float, int]](), 0, False

    def add_scalar(self, name: str, value: float, step: int) -> None:
        self.told.add((name, value, step))

    def flush(self) -> None:
        self.flushed += 1

    def close(self) -> None:
        self.closed = True


class FakeClient(FakeWriter):
    """Takes the place of MLflow's client."""

    def get_experiment_by_name(self, name: str) -> None:
        self.name = name

    def create_experiment(self, name: str) -> str:
        return f"experiment {name}"

    def create_run(self, experiment: str) -> Any:
        assert experiment == f"experiment {self.name}"
        return SimpleNamespace(info=SimpleNamespace(run_id="run"))

    def log_metric(self, run: str, name: str, value: float, *, step: int) -> None:
        assert run == "run"
        self.add_scalar(name, value, step)

    def set_terminated(self, run: str) -> None:
        assert run == "run"
        self.close()


class FakeRun(FakeWriter):
    """Takes the place of a run of Weights & Biases, and of the function that begins it."""

    begun: dict[str, Any]

    def __call__(self, **begun: Any) -> "FakeRun":
        self.begun = begun
        return self

    def log(self, figures: dict[str, float], *, step: int) -> None:
        for name, value in figures.items():
            self.add_scalar(name, value, step)

    def finish(self) -> None:
        self.close()


@pytest.mark.parametrize(
    ("fake", "make"),
    [
        (FakeWriter(), lambda fake, folder: TensorBoard(folder, fake)),
        (FakeClient(), lambda fake, folder: MLflow(folder, "shop", fake)),
        (FakeRun(), lambda fake, folder: WandB(folder, "shop", fake)),
    ],
)
def test_each_tool_gets_every_figure_at_the_number_of_the_version(
    fake: FakeWriter, make: Any, tmp_path: Path
) -> None:
    """Each figure is told by name, value and version, and the tool is closed at the end."""
    tracker: Tracker = make(fake, str(tmp_path))
    for version in (3, 4):
        tracker.told(version, FIGURES)
    assert TOLD == fake.told
    assert not fake.closed
    tracker.close()
    assert fake.closed


def test_event_files_are_written_after_each_round(tmp_path: Path) -> None:
    """A replay that is killed loses no figure of a round that was told."""
    writer = FakeWriter()
    tracker = TensorBoard(str(tmp_path), writer)
    tracker.told(1, FIGURES)
    assert 1 == writer.flushed


def test_nothing_leaves_the_machine_without_an_address(tmp_path: Path) -> None:
    """Runs of Weights & Biases are offline, and MLflow writes a file, unless there is a server."""
    run = FakeRun()
    WandB(str(tmp_path), "shop", run)
    assert {"project": "shop", "mode": "offline", "dir": str(tmp_path)} == run.begun
    WandB("https://wandb.shop.example", "shop", run)
    assert "online" == run.begun["mode"]
    assert {"base_url": "https://wandb.shop.example"} == run.begun["settings"]
    assert f"sqlite:///{tmp_path}/mlflow.db" == tracking_uri(str(tmp_path))
    assert "https://mlflow.shop.example" == tracking_uri("https://mlflow.shop.example")


def opened(to: str, folder: Path, where: str = "") -> AbstractContextManager[Tracker | None]:
    """Return what the settings open."""
    return open_tracker(Settings.of({"tracking.to": to, "tracking.where": where}), folder)


def test_by_default_nothing_is_opened(tmp_path: Path) -> None:
    """No folder is made and nothing is told."""
    assert "none" == Settings().tracking.to
    with open_tracker(Settings(), tmp_path) as tracker:
        assert tracker is None
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("to", "module"),
    [
        ("tensorboard", "torch.utils.tensorboard"),
        ("mlflow", "mlflow"),
        ("wandb", "wandb"),
    ],
)
def test_a_missing_package_is_told_with_the_extra_that_brings_it(
    to: str, module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error comes before the first round and says what to install."""
    monkeypatch.setitem(sys.modules, module, None)
    with (
        pytest.raises(SettingError, match=rf"pip install 'mainstem\[{to}\]'"),
        opened(to, tmp_path),
    ):
        pass


def test_tensorboard_has_no_server_to_write_to() -> None:
    """An address is refused, and the error says that a folder is wanted."""
    with pytest.raises(SettingError, match="folder"), opened("tensorboard", Path(), "https://a.b"):
        pass


def test_a_tool_that_fails_is_told_once_and_stops_no_round() -> None:
    """Its error becomes one line, and nothing more is told to it."""
    lines, writer = list[str](), FakeWriter()
    broken = TensorBoard("unused", writer)
    writer.flush = lambda: 1 / 0
    tracker = Forgiving(broken, lines.append)
    tracker.told(3, FIGURES)
    tracker.told(4, FIGURES)
    tracker.close()
    assert [
        "tracking failed (ZeroDivisionError: division by zero); rounds go on without it"
    ] == lines
    assert {3} == {version for _, _, version in writer.told}
