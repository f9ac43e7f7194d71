"""A replay with estimators in shadow: it finds what a plain one finds, and tells of the others."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.chaos import killed_after, replay, results_of
from tests.conftest import SMALL, Run
from tests.loop.test_schedule import asked

SHADOW = {"MAINSTEM_IMPORTANCE__SHADOW": "el2n,aum,tracin"}
KEPT = "SELECT sample_id, label_version, version, estimator, value FROM estimates_now"
EL2N = """
    SELECT e.value AS value, m.expected AS expected
    FROM (SELECT * FROM estimates_of_sample WHERE estimator = 'el2n') AS e
    INNER JOIN (
        SELECT sample_id, avg(sqrt(2) / (1 + exp(margin))) AS expected
        FROM responses_now
        WHERE sample_id IN (
            SELECT sample_id FROM responses_now GROUP BY sample_id HAVING max(label_version) = 0)
        GROUP BY sample_id) AS m
    ON e.sample_id = m.sample_id"""


@pytest.fixture(scope="module")
def shadowed(small_log: Path, tmp_path_factory: pytest.TempPathFactory, mainstem: Run) -> Path:
    """A home in which the short log was replayed with shadows; for reading only."""
    folder = tmp_path_factory.mktemp("shadow")
    done = mainstem("replay", small_log, "--home", folder / "shadow", "--json", env=SHADOW)
    assert done.returncode == 0, done.stderr
    (folder / "report.json").write_text(done.stdout)
    return folder / "shadow"


def report_of(home: Path) -> Any:
    """Return what the replay of a home reported."""
    return json.loads((home.parent / "report.json").read_text())


def told(mainstem: Run, home: Path) -> dict[str, Any]:
    """Return what `mainstem shadow` says of a home."""
    done = mainstem("shadow", "--home", home, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_shadows_decide_nothing(shadowed: Path, small_home: Path) -> None:
    """Sets, versions and hashes are those of a replay without shadows."""
    assert results_of(report_of(small_home)) == results_of(report_of(shadowed))


def test_shadows_see_every_visit(mainstem: Run, shadowed: Path) -> None:
    """EL2N of the two classes is the mean of sqrt(2) (1 - p) over the visits in the history."""
    rows = asked(mainstem, shadowed, EL2N)
    assert len(rows) > 100
    expected = [row["expected"] for row in rows]
    assert pytest.approx(expected, rel=1e-4, abs=1e-6) == [row["value"] for row in rows]


def test_a_killed_replay_with_shadows_ends_as_if_uninterrupted(
    small_log: Path, shadowed: Path, tmp_path: Path, mainstem: Run
) -> None:
    """Shadows that are rebuilt after a kill say what those of the killed process would have."""
    home = tmp_path / "killed"
    assert killed_after(0.5, small_log, home, SMALL | SHADOW, line=1000)
    assert results_of(report_of(shadowed)) == results_of(replay(small_log, home, SMALL | SHADOW))
    whole, killed = (
        {tuple(row.values()) for row in asked(mainstem, one, KEPT)} for one in (shadowed, home)
    )
    assert (set(), set()) == (whole - killed, killed - whole)


def test_the_command_tells_each_beside_the_acting_one(mainstem: Run, shadowed: Path) -> None:
    """Overlaps and correlations lie in their bounds, and the acting one agrees with itself."""
    found = told(mainstem, shadowed)
    by_name = {one["estimator"]: one for one in found["estimators"]}
    assert ["response_norm", "el2n", "aum", "tracin"] == list(by_name)
    acting = by_name["response_norm"]
    assert ("response_norm", 1.0, 0) == (found["acting"], acting["spearman"], acting["bytes"])
    [last] = asked(mainstem, shadowed, "SELECT max(version) AS round FROM draws")
    assert last["round"] == found["round"] > 0
    for one in by_name.values():
        assert one["core"] == one["would_be_core"] > 0
        assert 0 <= one["overlap"] <= 1 >= one["drawn_overlap"] >= 0
        assert -1 <= one["spearman"] <= 1
        assert (one["would_draw"], one["extra_passes"]) == (one["drawn"], 0)
        assert one["visits"] >= one["samples"] > 100
    assert by_name["el2n"]["spearman"] > by_name["aum"]["spearman"]
    assert 12 == len(found["correlations"])


def test_the_command_prints_a_table(mainstem: Run, shadowed: Path) -> None:
    """Without --json there is a line for each estimator, after a line of names."""
    done = mainstem("shadow", "--home", shadowed)
    assert (0, 5) == (done.returncode, len(done.stdout.splitlines()))
    assert done.stdout.startswith("estimator\tsays\tsamples\tspearman")


def test_a_home_without_shadows_says_how_to_get_some(mainstem: Run, small_home: Path) -> None:
    """Nothing was kept there, and the command says which setting would keep some."""
    assert [{"rows": 0}] == asked(mainstem, small_home, "SELECT count() AS rows FROM estimates")
    done = mainstem("shadow", "--home", small_home)
    assert (0, "") == (done.returncode, done.stdout)
    assert "set MAINSTEM_IMPORTANCE__SHADOW" in done.stderr
    assert [] == told(mainstem, small_home)["estimators"]


def test_an_unknown_shadow_is_refused_with_the_known_ones(
    mainstem: Run, small_log: Path, tmp_path: Path
) -> None:
    """The error names what was asked for and what there is."""
    env = {"MAINSTEM_IMPORTANCE__SHADOW": "el2n,best"}
    done = mainstem("replay", small_log, "--home", tmp_path / "home", env=env)
    assert done.returncode != 0
    assert "importance.shadow are different names from response_norm" in done.stderr
    assert "got 'el2n,best'" in done.stderr
