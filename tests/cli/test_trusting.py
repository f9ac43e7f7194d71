"""Trusted samples from the command line, and the truth of a simulated shop."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Run

SHORT = {
    "MAINSTEM_STANDING__CANARY_MINIMUM": "20",
    "MAINSTEM_LEARNING__ROUND_EVERY": "100000",
    "MAINSTEM_STANDING__JUDGE_EVERY": "500",
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, mainstem: Run) -> Path:
    """A folder with the log of a small shop, its truth, and a home that trusts a part of it."""
    folder = tmp_path_factory.mktemp("shop")
    log, truth, home = folder / "log.jsonl", folder / "truth.jsonl", folder / "home"
    few = ("--users", 50, "--items", 60, "--days", 3, "--events", 700)
    made = mainstem(
        "simulate", "--plain", "--turned-over", "0.2", *few, "-o", log, "--truth", truth
    )
    assert made.returncode == 0, made.stderr
    added = mainstem("trust", "add", truth, "--share", "0.5", "--home", home)
    told = "trusted samples are new or changed" in added.stderr
    assert (0, True) == (added.returncode, told), added.stderr
    done = mainstem("replay", log, "--home", home, "--no-learn", env=SHORT)
    assert done.returncode == 0, done.stderr
    return folder


def rows_of(done: Any) -> list[dict[str, Any]]:
    """Return the JSON lines that a command printed."""
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_status_counts_what_the_replay_met(shop: Path, mainstem: Run) -> None:
    """All three parts are there, confirmed, and enough for evidence to have learnt from them."""
    found = rows_of(mainstem("trust", "status", "--home", shop / "home", "--json", env=SHORT))
    rows = [row for row in found if "part" in row]
    assert {"direction", "canary", "gate"} == {row["part"] for row in rows}
    assert {"confirmed"} == {row["origin"] for row in rows}
    canaries = [row for row in rows if row["part"] == "canary"]
    assert ["no", "yes"] == [row["label"] for row in canaries]
    assert all(row["have"] > 20 and "has learnt" in row["what follows"] for row in canaries)


def test_status_tells_how_many_given_labels_are_wrong(shop: Path, mainstem: Run) -> None:
    """About a fifth of the confirmed samples has another label in the log, as the shop's truth."""
    done = mainstem("trust", "status", "--home", shop / "home", "--json", env=SHORT)
    no, yes, every = (row for row in rows_of(done) if "given label" in row)
    assert ("no", "yes", "all") == (no["given label"], yes["given label"], every["given label"])
    [row] = rows_of(mainstem("sql", _WRONG, "--home", shop / "home", "--json"))
    for part in ("direction", "canary", "gate", "confirmed"):
        assert row[part] == every[part] == no[part] + yes[part]
    assert row["wrong"] == every["wrong"] == no["wrong"] + yes["wrong"]
    assert pytest.approx(0.2, abs=0.07) == every["share wrong"]
    assert round(yes["wrong"] / yes["confirmed"], 4) == yes["share wrong"]
    shown = mainstem("trust", "status", "--home", shop / "home", env=SHORT)
    assert "\n\ngiven label\tdirection\t" in shown.stdout


_WRONG = """
    SELECT countIf(part = 'direction') AS direction, countIf(part = 'canary') AS canary,
           countIf(part = 'gate') AS gate, count() AS confirmed,
           countIf(given != trusted_labels.confirmed) AS wrong
    FROM trusted_labels"""


def test_confirmed_labels_leave_the_samples_as_the_log_gave_them(
    shop: Path, mainstem: Run, tmp_path: Path
) -> None:
    """With confirmed labels a home has the hash that it has without them."""
    hashes = []
    for home in (shop / "home", tmp_path / "home"):
        done = mainstem(
            "replay", shop / "log.jsonl", "--home", home, "--no-learn", "--json", env=SHORT
        )
        assert done.returncode == 0, done.stderr
        hashes.append(json.loads(done.stdout.splitlines()[-1])["hash"])
    assert hashes[0] == hashes[1]


def test_a_trusted_label_overrules_the_log(shop: Path, mainstem: Run) -> None:
    """Canaries are scored with the confirmed label, even if the log has the opposite."""
    sql = """SELECT count() AS all, countIf(r.label != s.label) AS turned,
                    countIf(r.label != t.label) AS disobeyed
             FROM responses_now AS r INNER JOIN samples_now AS s ON r.sample_id = s.sample_id
             INNER JOIN trusted_now AS t ON r.sample_id = t.sample_id"""
    [row] = rows_of(mainstem("sql", sql, "--home", shop / "home", "--json"))
    assert row["disobeyed"] == 0
    assert 0 < row["turned"] < row["all"]


def test_truth_tells_what_is_wrong_in_a_home(shop: Path, mainstem: Run) -> None:
    """About a fifth of the stream is wrong, all turned over, and every sample is in the truth."""
    done = mainstem("truth", shop / "truth.jsonl", "--home", shop / "home", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert pytest.approx(0.2, abs=0.07) == found["wrong"] / found["samples"]
    assert ["none", "turned over"] == [one["kind"] for one in found["by_kind"]]
    assert (0, True) == (found["unknown"], found["optimum"] >= 0.95)
    table = mainstem("truth", shop / "truth.jsonl", "--home", shop / "home")
    assert "turned over" in table.stdout
    of_yes = found["auroc_within_label"]["yes"]
    assert f"; yes: {of_yes:.3f}\n" in table.stdout
    lines = [line.split("\t") for line in table.stdout.splitlines()]
    shares = {line[0]: line[3] for line in lines if line[0] in {"core", "edge", "noise", "all"}}
    assert list(shares) == ["core", "edge", "noise", "all"]
    assert float(shares["all"]) == pytest.approx(found["all_wrong"], abs=1e-3)
    assert found["all_wrong"] == found["wrong"] / found["samples"]
    missing = mainstem("truth", shop / "gone", "--home", shop / "home")
    assert 1 == missing.returncode
    assert f"there is no truth file '{shop / 'gone'}'; " in missing.stderr


def test_more_trust_needs_a_replay_from_the_start(
    shop: Path, mainstem: Run, tmp_path: Path
) -> None:
    """A replayed home refuses to go on with other trusted samples."""
    import shutil

    home = tmp_path / "home"
    shutil.copytree(shop / "home", home)
    more = tmp_path / "more.jsonl"
    more.write_text('{"event_id":"impression-1","item_id":"item-1","label":"yes"}\n')
    added = mainstem("trust", "add", more, "--home", home)
    assert "--from-start" in added.stderr
    again = mainstem("replay", shop / "log.jsonl", "--home", home, "--no-learn", env=SHORT)
    assert 1 == again.returncode
    assert "trusted" in again.stderr
    assert "--from-start" in again.stderr


def test_graded_pairs_come_in_between_the_samples(
    shop: Path, mainstem: Run, tmp_path: Path
) -> None:
    """A graded pair follows every ten samples of the stream, once, in a second replay too."""
    pairs, home = tmp_path / "pairs.jsonl", tmp_path / "home"
    graded = [
        {
            "type": "labelled",
            "event_id": f"p{number}",
            "event_timestamp": 0,
            "user_id": "grader",
            "text": "mug",
            "pair": f"red mug {number}",
            "label": ("no", "yes")[number % 2],
        }
        for number in range(40)
    ]
    pairs.write_text("".join(f"{json.dumps(pair)}\n" for pair in graded))
    assert mainstem("trust", "add", pairs, "--home", home).returncode == 0
    named = rows_of(mainstem("trust", "status", "--home", home, "--json", env=SHORT))
    assert {"graded"} == {row["origin"] for row in named}
    assert 40 == sum(row["have"] for row in named)
    hashes = []
    for _ in range(2):
        done = mainstem(
            "replay", shop / "log.jsonl", "--home", home, "--no-learn", "--json", env=SHORT
        )
        assert done.returncode == 0, done.stderr
        hashes.append(json.loads(done.stdout.splitlines()[-1])["set_hash"])
    assert hashes[0] == hashes[1]
    sql = """SELECT s.offset AS offset, t.origin AS origin, t.label = s.label AS same,
                    s.event_time > '2020-01-01' AS moved
             FROM samples_now AS s INNER JOIN trusted_now AS t ON s.sample_id = t.sample_id
             ORDER BY offset"""
    rows = rows_of(mainstem("sql", sql, "--home", home, "--json"))
    assert [10 + 11 * number for number in range(40)] == [row["offset"] for row in rows]
    assert {("graded", 1, 1)} == {(row["origin"], row["same"], row["moved"]) for row in rows}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("nothing\n", "line 1 is no trusted sample"),
        ('{"event_id":"e","item_id":"i","label":"maybe"}\n', "'maybe' is no class"),
    ],
)
def test_a_file_that_cannot_be_believed_is_one_line(
    content: str, told: str, tmp_path: Path, mainstem: Run
) -> None:
    """An invalid file of trusted samples is an error in one line, and nothing is added."""
    file = tmp_path / "file.jsonl"
    file.write_text(content)
    done = mainstem("trust", "add", file, "--home", tmp_path / "home")
    assert (1, 1) == (done.returncode, len(done.stderr.splitlines()))
    assert told in done.stderr
    assert not (tmp_path / "home" / "trusted.jsonl").exists()
