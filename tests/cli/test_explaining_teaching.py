"""What `mainstem explain` tells of the samples that teach the same, and of the age of scores."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_explaining import kinds
from tests.conftest import Run

__all__ = ["kinds"]


def rows_of(mainstem: Run, *arguments: object) -> list[dict[str, Any]]:
    """Run a command that prints JSON lines."""
    done = mainstem(*arguments, "--json")
    assert 0 == done.returncode, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_story_tells_the_nearest_sketches(
    small_home: Path, kinds: dict[str, str], mainstem: Run
) -> None:
    """Its cosines are those of the history's sketches, and the screen shows the nearest ones."""
    [story] = rows_of(mainstem, "explain", kinds["core"], "--home", small_home)
    told, names = story["teaching"], ("a", "b")
    length = "sqrt(arraySum(one -> one * one, {}.sketch))"
    query = f"""
        SELECT toString(b.sample_id) AS sample,
               arraySum((x, y) -> x * y, a.sketch, b.sketch)
               / {" / ".join(length.format(name) for name in names)} AS cosine
        FROM (SELECT * FROM sketches_now WHERE sample_id = '{kinds["core"]}'
              ORDER BY version DESC LIMIT 1) AS a
        INNER JOIN sketches_now AS b ON a.version = b.version
        WHERE a.sample_id != b.sample_id ORDER BY cosine"""
    found = rows_of(mainstem, "sql", query, "--home", small_home)
    assert (len(found), 64, 0.125) == (told["compared"], told["floats"], told["standard_error"])
    for end, expected in (("same", found[::-1]), ("opposite", found)):
        assert [one["sample"] for one in expected[:5]] == [one["sample_id"] for one in told[end]]
        assert pytest.approx([one["cosine"] for one in expected[:5]], abs=1e-5) == [
            one["cosine"] for one in told[end]
        ]
    lines = mainstem("explain", kinds["core"], "--home", small_home).stdout.splitlines()
    for end in ("same", "opposite"):
        shown = [line for line in lines if line.startswith(f"the {end} ")]
        assert [one["sample_id"][:8] for one in told[end][:2]] == [
            line.split()[5] for line in shown
        ]
    assert any("standard error of 0.125" in line for line in lines)


def test_a_sample_that_no_version_scored_has_nothing_to_compare(
    small_home: Path, kinds: dict[str, str], mainstem: Run
) -> None:
    """A gate sample has neither a sketch nor an age of its score, and the story says why."""
    [story] = rows_of(mainstem, "explain", kinds["gate"], "--home", small_home)
    assert (None, None, []) == (
        story["score"],
        story["teaching"]["version"],
        story["teaching"]["same"],
    )
    told = mainstem("explain", kinds["gate"], "--home", small_home).stdout
    assert "nothing to compare: no version has scored it" in told


def test_a_score_has_one_age_everywhere(
    small_home: Path, kinds: dict[str, str], mainstem: Run
) -> None:
    """`explain`, `history`, the view and `sets` say the same of how old scores are."""
    for name in ("core", "edge", "canary"):
        [story] = rows_of(mainstem, "explain", kinds[name], "--home", small_home)
        query = (
            "SELECT scored_by, scored_at, versions_behind, days FROM score_age "
            f"WHERE sample_id = '{kinds[name]}'"
        )
        assert rows_of(mainstem, "sql", query, "--home", small_home) == [story["score"]]
        rows = rows_of(mainstem, "history", kinds[name], "--home", small_home)
        [score] = [row for row in rows if row["table"] == "score"]
        assert story["score"] == {one: score[one] for one in story["score"]}
        assert story["score"]["scored_by"] == story["visits"][-1]["version"]
    query = (
        "SELECT standing, reason, avg(versions_behind) AS versions_behind, avg(days) AS score_days "
        "FROM standings_now INNER JOIN score_age USING (sample_id) GROUP BY standing, reason "
        "ORDER BY standing, reason"
    )
    expected = rows_of(mainstem, "sql", query, "--home", small_home)
    found = rows_of(mainstem, "sets", "--home", small_home)
    assert [pytest.approx(list(row.values())[2:]) for row in expected] == [
        [row["versions_behind"], row["score_days"]] for row in found
    ]
    assert {(0, 0)} == {(row["outdated"], row["gone"]) for row in found}
