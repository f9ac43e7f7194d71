"""`mainstem what-if`: sets and the last draw, computed again out of a home and out of a store."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from mainstem.settings.urls import url_of
from tests.conftest import Run


@pytest.fixture(scope="module")
def home(small_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the home, which this module alone opens."""
    return shutil.copytree(small_home, tmp_path_factory.mktemp("what-if") / "home", symlinks=True)


def asked(mainstem: Run, home: Path, *changed: str) -> dict[str, Any]:
    """Ask what other settings would have made of a home."""
    options = [word for one in changed for word in ("--set", one)]
    done = mainstem("what-if", "--home", home, *options, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def rows_of(mainstem: Run, home: Path, query: str) -> list[dict[str, Any]]:
    """Ask the history of a home in SQL."""
    done = mainstem("sql", query, "--home", home, "--json")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_settings_of_the_home_give_what_it_has(mainstem: Run, home: Path) -> None:
    """With the value that it has, no sample moves, and the last round draws what it drew."""
    found = asked(mainstem, home, "learning.draw=12000")
    query = "SELECT set, toUInt32(samples) AS samples FROM sets ORDER BY set"
    sets = {one["set"]: [one["samples"]] * 2 for one in rows_of(mainstem, home, query)}
    assert sets == {name: both for name, both in found["sets"].items() if both[0]}
    assert found["sets"]["core"][0]
    assert ([], []) == (found["moves"], found["movers"])
    query = "SELECT version, drawn FROM rounds FINAL ORDER BY version DESC LIMIT 1"
    [last] = rows_of(mainstem, home, query)
    draw = found["draw"]
    assert (last["version"], last["drawn"]) == (draw["version"], sum(draw["drew"].values()))
    assert (draw["drew"], last["drawn"]) == (draw["would"], draw["both"])


def test_a_smaller_draw_is_drawn_from_the_same_samples(mainstem: Run, home: Path) -> None:
    """A smaller draw has as many samples as it was asked for, nearly all of which were drawn."""
    draw = asked(mainstem, home, "learning.draw=100")["draw"]
    assert 100 == sum(draw["would"].values())
    # what was drawn is all that core and edge hold
    assert draw["both"] == draw["would"]["core"] + draw["would"]["edge"]


def test_other_thresholds_move_samples_and_change_the_draw(mainstem: Run, home: Path) -> None:
    """A core twice as wide takes samples from edge, and the last round would have drawn more."""
    found = asked(mainstem, home, "standing.core_quantile=0.1", "standing.assumed_sound=0.9")
    before, after = found["sets"]["core"]
    assert after > before
    [move] = [one for one in found["moves"] if (one["before"], one["after"]) == ("edge", "core")]
    assert after - before <= move["samples"]
    assert {("edge", "core")} <= {(one["before"], one["after"]) for one in found["movers"]}
    importance = [one["importance"] for one in found["movers"]]
    assert sorted(importance, reverse=True) == importance
    assert found["draw"]["would"]["core"] > found["draw"]["drew"]["core"]


def test_a_store_answers_what_its_home_answers(mainstem: Run, home: Path) -> None:
    """The sets of a store by URL are those of the home that it belongs to."""
    changed = ("--set", "standing.core_quantile=0.1", "--json")
    url = url_of("chdb", home.resolve() / "history")
    done = mainstem("what-if", "--store", url, *changed)
    assert done.returncode == 0, done.stderr
    ours, theirs = json.loads(done.stdout), asked(mainstem, home, "standing.core_quantile=0.1")
    for name in ("samples", "sets", "moves", "movers"):
        assert theirs[name] == ours[name], name


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("learning.epochs=1", "learning.epochs moves no sample by itself"),
        ("learning.drow=1", "learning.drow is no setting; did you mean learning.draw?"),
        ("learning.draw=0", "learning.draw must be at least 1; got 0"),
        ("learning.draw", "--set takes NAME=VALUE, like learning.draw=4000; got 'learning.draw'"),
    ],
)
def test_a_setting_that_decides_nothing_here_is_refused(
    mainstem: Run, home: Path, given: str, told: str
) -> None:
    """The error is one line that names the settings that decide sets and draws."""
    done = mainstem("what-if", "--home", home, "--set", given)
    assert (2, "") == (done.returncode, done.stdout)
    assert f"mainstem: {told}" in done.stderr
    assert 1 == len(done.stderr.splitlines())
    assert ("learning.draw_old" in done.stderr) == ("moves no sample" in told)


def test_people_read_sentences(mainstem: Run, home: Path) -> None:
    """Without --json, sentences and tables say what would move and what would be drawn."""
    done = mainstem("what-if", "--home", home, "--set", "standing.core_quantile=0.1")
    assert done.returncode == 0, done.stderr
    first, *_ = done.stdout.splitlines()
    assert first.endswith("samples would be in another set")
    assert "it would have drawn all that it could get" in done.stdout
