"""A replay whose visits are cheap: what it keeps, after a kill and under a schedule too."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.chaos import killed_after, replay, results_of
from tests.conftest import SMALL, Run
from tests.loop.test_schedule import MOVED, VISITS, asked, assert_close, written_down

CHEAP = {"MAINSTEM_RESPONSES__FIRST_VISIT": "forward", "MAINSTEM_RESPONSES__NEXT_VISIT": "last"}
KINDS = (
    "SELECT version > 0 AS later, r.offset >= o.offset AS new, kind, count() > 30 AS many "
    "FROM responses_now AS r LEFT JOIN (SELECT version, offsets[1] AS offset FROM rounds FINAL) "
    "AS o USING (version) GROUP BY ALL ORDER BY ALL"
)
KEPT = "SELECT sample_id, version, kind, norm, measured, loss FROM responses_now ORDER BY ALL"


@pytest.fixture(scope="module")
def cheap_home(small_log: Path, tmp_path_factory: pytest.TempPathFactory, mainstem: Run) -> Path:
    """A home in which the short log was replayed with cheap visits; for reading only."""
    folder = tmp_path_factory.mktemp("cheap")
    done = mainstem("replay", small_log, "--home", folder / "cheap", "--json", env=CHEAP)
    assert done.returncode == 0, done.stderr
    (folder / "report.json").write_text(done.stdout)
    return folder / "cheap"


def report_of(home: Path) -> dict[str, Any]:
    """Return what the replay of a home reported."""
    found: dict[str, Any] = json.loads((home.parent / "report.json").read_text())
    return found


def test_each_visit_is_of_the_kind_that_is_asked_for(mainstem: Run, cheap_home: Path) -> None:
    """The samples that give the first version its scale are full; all later ones are as asked."""
    found = asked(mainstem, cheap_home, KINDS)
    assert {(0, "forward"), (0, "full")} == {
        (row["later"], row["kind"]) for row in found if not row["later"]
    }
    assert [("last", False, 1), ("forward", False, 1), ("forward", True, 1)] == [
        (row["kind"], bool(row["new"]), row["many"])
        for row in sorted(found, key=lambda row: (row["kind"] != "last", row["new"]))
        if row["later"]
    ]


def test_cheaper_norms_are_on_the_scale_of_full_ones(mainstem: Run, cheap_home: Path) -> None:
    """The mean norm of the canaries under a version, over its scale, is near 1 for each kind."""
    [row] = asked(
        mainstem,
        cheap_home,
        "SELECT avg(importance_seen) AS seen, min(norm) > 0 AS above, max(measured < norm) "
        "AS smaller FROM responses_now WHERE part = 'canary' AND version > 0",
    )
    assert 0.8 < row["seen"] < 1.2
    assert (True, True) == (bool(row["above"]), bool(row["smaller"]))


def test_a_killed_replay_with_cheap_visits_ends_as_if_uninterrupted(
    small_log: Path, cheap_home: Path, tmp_path: Path, mainstem: Run
) -> None:
    """Rows that are rebuilt after a kill hold what the killed process's rows held."""
    home = tmp_path / "killed"
    assert killed_after(0.5, small_log, home, SMALL | CHEAP, line=1000)
    assert results_of(report_of(cheap_home)) == results_of(replay(small_log, home, SMALL | CHEAP))
    whole, killed = (asked(mainstem, one, KEPT) for one in (cheap_home, home))
    assert whole == killed


def test_a_schedule_repeats_visits_of_each_kind(
    small_log: Path, cheap_home: Path, tmp_path: Path, mainstem: Run
) -> None:
    """A home that repeats a schedule makes first and next visits where the schedule has them."""
    (path := tmp_path / "schedule.jsonl").write_bytes(
        b"\n".join(written_down(mainstem, cheap_home).lines())
    )
    home, versions = tmp_path / "repeated", f"file://{cheap_home / 'versions'}"
    words = ("replay", small_log, "--home", home, "--schedule", path, "--versions", versions)
    done = mainstem(*words, env=CHEAP)
    assert 0 == done.returncode, done.stderr
    for question in (VISITS, MOVED, VISITS.replace("norm", "kind")):
        assert_close(asked(mainstem, cheap_home, question), asked(mainstem, home, question))
