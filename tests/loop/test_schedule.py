"""A home repeats a recorded order and schedule: it trains nothing and judges all the same."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest

from mainstem.store.recorded import SCALES, AcceptedAt, KeptScale
from mainstem.store.recorded_schedule import RecordedSchedule
from mainstem.store.turns import JUDGE, TAKE_OVER, TAKE_UP, Turn
from tests.chaos import results_of
from tests.conftest import Run
from tests.loop.test_replay import report

ORDER = "SELECT partition, position, sample_id, label_version FROM accepted_samples ORDER BY ALL"
VISITS = (
    "SELECT partition, offset, sample_id, label_version, version, norm "
    "FROM responses FINAL ORDER BY ALL"
)
JUDGED = "SELECT * FROM judgements FINAL ORDER BY ALL"
MOVED = (
    "SELECT sample_id, label_version, judgement, version, before, standing, reason "
    "FROM moves FINAL ORDER BY ALL"
)
ROUNDS = "SELECT version, offsets FROM rounds FINAL WHERE promoted ORDER BY version"


def asked(mainstem: Run, home: Path, question: str) -> list[dict[str, Any]]:
    """Return the rows that answer a question."""
    done = mainstem("sql", "--home", home, "--json", question)
    assert 0 == done.returncode, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def written_down(mainstem: Run, home: Path) -> RecordedSchedule:
    """Return the schedule that scoring workers would record for a home with one partition."""
    order = [
        AcceptedAt(row["partition"], row["position"], UUID(row["sample_id"]), row["label_version"])
        for row in asked(mainstem, home, ORDER)
    ]
    visits = asked(mainstem, home, VISITS)
    turns = [Turn(0, 0, 0, 0, TAKE_OVER, [])]
    for round_ in asked(mainstem, home, ROUNDS):
        version, [position] = round_["version"], round_["offsets"]
        again = [
            UUID(row["sample_id"])
            for row in visits
            if row["version"] == version and row["offset"] < position
        ]
        turns.append(Turn(0, len(turns), position, version, TAKE_UP, again))
    turns.append(Turn(0, len(turns), len(order), turns[-1].version, JUDGE, []))
    scales = [KeptScale(*row.values()) for row in asked(mainstem, home, SCALES.sql)]
    return RecordedSchedule(accepted=order, turns=turns, scales=scales)


@pytest.fixture(scope="module")
def schedule(small_home: Path, mainstem: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """File of the schedule that the short log's home followed when it learned."""
    path = tmp_path_factory.mktemp("schedule") / "schedule.jsonl"
    recorded = written_down(mainstem, small_home)
    assert [0, 1, 2, 3] == recorded.versions
    path.write_bytes(b"".join(line + b"\n" for line in recorded.lines()))
    return path


def assert_close(expected: list[dict[str, Any]], found: list[dict[str, Any]]) -> None:
    """Assert equal rows, with numbers to 1e-4 because the composition of batches differs."""
    assert len(expected) == len(found)
    for one, other in zip(expected, found, strict=True):
        assert one == {
            name: pytest.approx(value, rel=1e-4, abs=1e-4) if isinstance(value, float) else value
            for name, value in other.items()
        }


def repeat(mainstem: Run, log: Path, home: Path, schedule: object, versions: Path) -> Any:
    """Run `mainstem replay --schedule`."""
    return mainstem(
        "replay",
        log,
        "--home",
        home,
        "--schedule",
        schedule,
        "--versions",
        f"file://{versions}",
        "--json",
    )


def test_a_schedule_is_repeated_with_the_versions_it_used(
    small_home: Path, small_log: Path, schedule: Path, tmp_path: Path, mainstem: Run
) -> None:
    """A schedule repeats responses, judgements and moves twice over, unlike an ordinary replay."""
    home, versions = tmp_path / "repeated", small_home / "versions"
    found = [report(repeat(mainstem, small_log, home, schedule, versions)) for _ in range(2)]
    assert results_of(found[0]) == results_of(found[1])
    for question in (JUDGED, MOVED, VISITS):
        assert_close(asked(mainstem, small_home, question), asked(mainstem, home, question))
    refused = mainstem("replay", small_log, "--home", home)
    assert (1, 1) == (refused.returncode, len(refused.stderr.strip().splitlines()))
    assert "schedule" in refused.stderr


def test_what_does_not_belong_together_is_refused_in_one_line(
    small_home: Path, small_log: Path, schedule: Path, tmp_path: Path, mainstem: Run
) -> None:
    """A schedule is refused in one line if its log, versions, source or home does not fit."""
    versions, lines = small_home / "versions", small_log.read_bytes().splitlines(keepends=True)
    (shorter := tmp_path / "shorter.jsonl").write_bytes(b"".join(lines[:-100]))
    whole = RecordedSchedule.of_lines(schedule.read_bytes().splitlines(), "whole")
    fewer = msgspec.structs.replace(whole, accepted=whole.accepted[:-50])
    (less := tmp_path / "less.jsonl").write_bytes(b"\n".join(fewer.lines()))
    (cut := tmp_path / "cut.jsonl").write_bytes(b"\n".join([*whole.lines()][1:]))
    (empty := tmp_path / "versions").mkdir()
    there = schedule.read_bytes()
    tried = {
        "gives no sample for": (shorter, "a", schedule, versions),
        "is not in the schedule": (small_log, "b", less, versions),
        "version 0 of the schedule is not under": (small_log, "c", schedule, empty),
        "a schedule is kafka://": (small_log, "d", "s3://nowhere", versions),
        "lacks position 0 of partition 0": (small_log, "d", cut, versions),
        "the broker 127.0.0.1:9 cannot be reached": (
            small_log,
            "d",
            "kafka://127.0.0.1:9",
            versions,
        ),
        "is no line of a schedule": (small_log, "e", small_log, versions),
    }
    for told, (log, home, where, models) in tried.items():
        done = repeat(mainstem, log, tmp_path / home, where, models)
        assert done.returncode in (1, 2)
        assert told in done.stderr.splitlines()[-1]
    done = repeat(mainstem, small_log, small_home, schedule, versions)
    assert "holds something else" in done.stderr.splitlines()[-1]
    assert there == schedule.read_bytes()
