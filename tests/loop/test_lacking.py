"""A replay that succeeds has produced samples, and reports what is missing."""

import json
from pathlib import Path
from typing import Any

from tests.conftest import Run


def labelled(number: int, label: str) -> dict[str, Any]:
    """Return an event of a labelled text."""
    time = 1_777_888_799_000 + 60_000 * number
    return {
        "type": "labelled",
        "event_id": f"t{number}",
        "user_id": "u",
        "event_timestamp": time,
        "text": "cup",
        "label": label,
    }


def written(path: Path, *lines: dict[str, Any]) -> Path:
    """Write a file of JSON lines and return its path."""
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_what_a_replay_lacks_is_told_with_figures(tmp_path: Path, mainstem: Run) -> None:
    """Unnamed classes, absent trusted samples, few canaries and a missing AUC are reported."""
    log = written(
        tmp_path / "log.jsonl",
        *(labelled(number, "odd" if number < 3 else "yes") for number in range(9)),
    )
    home = tmp_path / "home"
    confirmed = [
        {"event_id": "t5", "label": "no"},
        {"event_id": "t5", "item_id": "cup", "label": "no"},
    ]
    added = mainstem(
        "trust", "add", written(tmp_path / "trusted.jsonl", *confirmed), "--home", home
    )
    assert 0 == added.returncode, added.stderr
    done = mainstem(
        "replay", log, "--home", home, "--no-learn", env={"MAINSTEM_TRUSTED__DIRECTION_SHARE": "0"}
    )
    assert 0 == done.returncode, done.stderr
    for told in (
        (
            "3 of 9 labelled texts are refused: MAINSTEM_OBJECTIVES__CLASSES ('no,yes') "
            "does not name 'odd' (3)"
        ),
        "refused 3 x 'odd' is no class",
        "1 of 2 trusted samples is in this log",
        'a question of this log is {"event_id": "t0"}',
        "nothing is called contradictory: too few canaries",
        "and two labels are needed",
        "none: too few canaries tell which labels are sound",
    ):
        assert told in " ".join(done.stdout.split())
    query = done.stdout.split('sql "')[1].split('"')[0]
    rows = [
        json.loads(line)
        for line in mainstem("sql", query, "--home", home, "--json").stdout.splitlines()
    ]
    assert "cup" == rows[0]["context_text"]
    sets = mainstem("sets", "--home", home)
    assert "nothing is called contradictory: too few canaries" in sets.stderr
    again = mainstem(
        "trust",
        "add",
        written(tmp_path / "more.jsonl", {"event_id": "t99", "label": "no"}),
        "--home",
        home,
    )
    assert "0 of 1 are among the samples replayed here" in again.stderr


def test_a_replay_without_samples_fails_and_says_why(tmp_path: Path, mainstem: Run) -> None:
    """Views of undescribed items make no sample, so the replay fails and says what to send."""
    view = {
        "type": "view",
        "event_id": "v",
        "user_id": "u",
        "event_timestamp": 1_777_888_799_000,
        "item_id": "cup",
    }
    home = tmp_path / "home"
    done = mainstem("replay", written(tmp_path / "log.jsonl", view), "--home", home, "--json")
    assert (1, 0) == (done.returncode, json.loads(done.stdout)["samples"])
    assert "no item event came before the 1 items of questions" in done.stderr.splitlines()[-1]
    for command in ("sets", "truth"):
        asked = mainstem(command, *(["nowhere"] if command == "truth" else []), "--home", home)
        assert (1, "") == (asked.returncode, asked.stdout)
        assert 1 == len(asked.stderr.splitlines())
