"""A home keeps the settings it was made with, and refuses those that would change its results."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mainstem.embedded.home import HomeFolder
from mainstem.errors import HomeError
from mainstem.settings import Settings

NOT_THE_DEFAULT = {"join.grace": 60_000, "learning.draw": 50, "model.model": "a b"}


def settle(folder: Path, named: dict[str, Any], **facts: Any) -> None:
    """Open a home with these settings and facts."""
    with HomeFolder(folder, create=True) as home:
        home.settle(Settings.of(named), facts)


def record(folder: Path) -> dict[str, Any]:
    """Read the settings that the home records."""
    found: dict[str, Any] = json.loads((folder / "settings.json").read_bytes())
    return found


def test_a_setting_that_results_depend_on_is_held(tmp_path: Path) -> None:
    """The error gives both values of each setting and the variables that the home goes on with."""
    settle(tmp_path, NOT_THE_DEFAULT)
    told = (
        r"\(join.grace 1m there, 10m now, learning.draw 50 there, 12000 now, "
        r"model.model 'a b' there, '' now\); "
        r"MAINSTEM_JOIN__GRACE=1m MAINSTEM_LEARNING__DRAW=50 MAINSTEM_MODEL__MODEL='a b' "
        r"goes on, "
        r"--from-start begins again, or give another --home$"
    )
    with pytest.raises(HomeError, match=told):
        settle(tmp_path, {})
    settle(tmp_path, NOT_THE_DEFAULT)


def test_a_setting_that_nothing_depends_on_may_differ(tmp_path: Path) -> None:
    """A home goes on with another distance between snapshots."""
    settle(tmp_path, {"run.snapshot_every": 6})
    settle(tmp_path, {"run.snapshot_every": 7})
    assert "run.snapshot_every" not in record(tmp_path)


def test_a_home_from_before_devices_were_recorded_takes_that_of_now(tmp_path: Path) -> None:
    """A home that records `auto` goes on with what is decided now, records it, and keeps to it."""
    settle(tmp_path, {})
    settle(tmp_path, {"model.device": "cuda", "responses.precision": "bfloat16"})
    assert ("cuda", "bfloat16") == tuple(
        record(tmp_path)[name] for name in ("model.device", "responses.precision")
    )
    with pytest.raises(HomeError, match=r"model.device 'cuda' there, 'cpu' now"):
        settle(tmp_path, {"model.device": "cpu", "responses.precision": "bfloat16"})


def test_a_fact_that_differs_has_no_variable(tmp_path: Path) -> None:
    """The error for a fact that differs names no variable, because a fact is not a setting."""
    settle(tmp_path, {}, learn=True)
    with pytest.raises(
        HomeError, match=r"\(learn True there, False now\); --from-start begins again"
    ):
        settle(tmp_path, {}, learn=False)


def test_a_setting_from_after_a_home_was_made_has_its_default_there(tmp_path: Path) -> None:
    """The home takes and records the default of the new setting, and refuses another value."""
    settle(tmp_path, {})
    kept = record(tmp_path)
    (tmp_path / "settings.json").write_text(
        json.dumps({n: v for n, v in kept.items() if n != "learning.patience"})
    )
    with pytest.raises(HomeError, match=r"learning.patience 1 there, 2 now"):
        settle(tmp_path, {"learning.patience": 2})
    settle(tmp_path, {})
    assert kept == record(tmp_path)


def test_a_home_from_before_settings_had_groups_goes_on(tmp_path: Path) -> None:
    """Names of settings without groups are read and rewritten as those with groups."""
    settle(tmp_path, NOT_THE_DEFAULT)
    kept = record(tmp_path)
    (tmp_path / "settings.json").write_text(
        json.dumps({name.rpartition(".")[2]: value for name, value in kept.items()})
    )
    with pytest.raises(HomeError, match=r"join.grace 1m there, 2m now"):
        settle(tmp_path, {**NOT_THE_DEFAULT, "join.grace": 120_000})
    settle(tmp_path, NOT_THE_DEFAULT)
    assert kept == record(tmp_path)


def test_a_checkpoint_that_lacks_what_is_needed_now_says_how_to_begin_anew(tmp_path: Path) -> None:
    """A checkpoint of another version of mainstem is refused, and the error offers --from-start."""
    settle(tmp_path, {})
    (tmp_path / "checkpoint").write_bytes(msgspec.msgpack.encode({"line": 5}))
    with (
        HomeFolder(tmp_path, create=False) as home,
        pytest.raises(HomeError, match=r"another mainstem wrote it.*--from-start"),
    ):
        home.checkpoint()
