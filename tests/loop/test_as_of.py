"""A home at a moment of event time: replayed up to it, or compared with what the home held then."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from mainstem.simulate import Shop, simulate
from mainstem.store import Store
from tests.chaos import results_of
from tests.cli.test_sql_while_running import held
from tests.conftest import Run
from tests.loop.test_replay import report

EARLIER, LATER = "2010-12-01T12:30+01:00", "2010-12-01T12:10Z"
SECOND_DAY, FOURTH_DAY = "2026-01-02T12:00Z", "2026-01-04"
TABLES = ["samples", "labels", "features", "ledger", "rejected", "hours", "counts"]
TABLES += ["responses", "judgements", "standings"]


@pytest.fixture(scope="module")
def shop_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write four days of a shop with revised labels and repeated, late and malformed lines."""
    path = tmp_path_factory.mktemp("shop") / "shop.jsonl"
    with path.open("wb") as file:
        simulate(Shop(users=60, items=60, days=4, page=3, seed=3), file, None)
    return path


@pytest.fixture(scope="module")
def whole(shop_log: Path, mainstem: Run) -> dict[str, Any]:
    """Report of an uninterrupted replay of `shop_log` in two partitions, without learning."""
    return replayed(mainstem, shop_log, shop_log.parent / "whole")


def replayed(mainstem: Run, log: Path, home: Path, *more: object) -> dict[str, Any]:
    """Replay a log and return the report."""
    return report(
        mainstem("replay", log, "--home", home, "--partitions", 2, "--no-learn", "--json", *more)
    )


def verified(mainstem: Run, log: Path, home: Path, moment: str, *, code: int = 0) -> dict[str, Any]:
    """Compare a home with a replay up to a moment and return the findings."""
    done = mainstem(
        "replay",
        log,
        "--home",
        home,
        "--as-of",
        moment,
        "--verify",
        "--json",
        env={"TMPDIR": str(home.parent)},
    )
    assert code == done.returncode, done.stderr
    assert [] == list(home.parent.glob("mainstem-as-of-*"))
    return json.loads(done.stdout)


def rows(found: dict[str, Any]) -> dict[str, int]:
    """Return how many rows of each table were compared."""
    return {name: table["rows"] for name, table in found["tables"].items()}


def differ(found: dict[str, Any]) -> dict[str, int]:
    """Return how many rows of each table differ, for tables with differences."""
    return {name: table["differ"] for name, table in found["tables"].items() if table["differ"]}


def files(home: Path) -> dict[str, bytes]:
    """Return the files of a home by name, without its history and the lock that a reader takes."""
    kept = [
        path
        for path in home.rglob("*")
        if path.is_file() and "history" not in path.parts and path.name != "lock"
    ]
    return {str(path): path.read_bytes() for path in kept}


def test_a_home_that_learnt_had_by_each_moment_what_a_replay_gives(
    small_home: Path, small_log: Path, mainstem: Run
) -> None:
    """A home that learned holds at each moment what a replay with its versions gives, untouched."""
    before = files(small_home)
    early = verified(mainstem, small_log, small_home, EARLIER)
    late = verified(mainstem, small_log, small_home, LATER)
    assert [(1, {}), (1, {})] == [(one["version"], differ(one)) for one in (early, late)]
    assert TABLES == list(rows(early))
    assert all(
        0 < rows(early)[name] < rows(late)[name]
        for name in ("samples", "labels", "responses", "judgements", "standings")
    )
    assert before == files(small_home)


def test_what_was_changed_afterwards_is_found_and_named(
    small_home: Path, small_log: Path, tmp_path: Path, mainstem: Run
) -> None:
    """Each changed label, response, ledger count and standing is reported, and nothing else."""
    home = shutil.copytree(small_home, tmp_path / "changed", symlinks=True)
    with Store(f"chdb://{home / 'history'}") as store:
        [[named]] = store.rows(
            "SELECT toString(sample_id) FROM moves FINAL "
            "WHERE judgement = 600 AND standing = 'edge' AND sample_id IN "
            "(SELECT sample_id FROM responses WHERE version = 0) ORDER BY sample_id LIMIT 1"
        )
        for table, change, where in (
            ("samples", "label = 1 - label", f"sample_id = '{named}'"),
            ("responses", "norm = norm + 1", f"sample_id = '{named}' AND version = 0"),
            ("ledger", "accepted = accepted + 1", "topic = 'items'"),
            (
                "moves",
                "standing = 'noise', reason = 'spent'",
                f"sample_id = '{named}' AND judgement = 600",
            ),
        ):
            store.execute(
                f"ALTER TABLE {table} UPDATE {change} WHERE {where} SETTINGS mutations_sync = 2"
            )
    found = verified(mainstem, small_log, home, LATER, code=1)
    assert {"labels": 1, "ledger": 1, "responses": 1, "standings": 1} == differ(found)
    first = {name: found["tables"][name]["first"][0] for name in differ(found)}
    assert all(named in first[name] for name in ("labels", "responses", "standings"))
    assert "label_version 0: label " in first["labels"]
    assert "norm " in first["responses"]
    assert "topic items, block 0: counts " in first["ledger"]
    assert "standing 'noise' there, 'edge' replayed; reason 'spent' there" in first["standings"]


def test_a_home_in_use_answers_and_labels_are_those_of_then(
    whole: dict[str, Any], shop_log: Path, mainstem: Run
) -> None:
    """A home in use by another process is compared, and revised labels count as they were then."""
    home = Path(whole["home"])
    with held(home) as store:
        [[revised]] = store.rows("SELECT count() FROM samples FINAL WHERE label_version > 1")
        found = verified(mainstem, shop_log, home, SECOND_DAY)
    assert {} == differ(found)
    assert 0 < rows(found)["labels"] < whole["samples"] - revised


def test_what_the_end_of_a_log_closes_is_not_of_a_moment(
    whole: dict[str, Any], shop_log: Path, mainstem: Run
) -> None:
    """A moment after the last event compares all lines, without the effects of the final tick."""
    found = verified(mainstem, shop_log, Path(whole["home"]), "2027-01-01")
    assert (len(shop_log.read_bytes().splitlines()), {}) == (found["lines"], differ(found))
    assert 0 < rows(found)["samples"] < whole["samples"]


def test_a_home_as_of_a_moment_goes_on_as_if_it_had_not_stopped(
    whole: dict[str, Any], shop_log: Path, tmp_path: Path, mainstem: Run
) -> None:
    """A home replayed up to a moment holds what was known then and resumes to the same end."""
    home = tmp_path / "then"
    then = replayed(mainstem, shop_log, home, "--as-of", SECOND_DAY)
    assert (0, True) == (then["ledger"]["balance"], then["ledger"]["open"] > 0)
    found = verified(mainstem, shop_log, home, SECOND_DAY)
    assert ({}, then["samples"]) == (differ(found), rows(found)["samples"])
    refused = mainstem("replay", shop_log, "--home", home, "--as-of", FOURTH_DAY, "--verify")
    assert (1, True) == (
        refused.returncode,
        refused.stderr.startswith("mainstem: the home has not been replayed up to the moment: "),
    )
    end = replayed(mainstem, shop_log, home)
    assert results_of(whole) == results_of(end)


def test_a_home_that_came_further_is_not_put_back(
    whole: dict[str, Any], shop_log: Path, mainstem: Run
) -> None:
    """A replay without `--verify` refuses an earlier moment and keeps what the home holds."""
    arguments = ("--home", whole["home"], "--partitions", 2, "--no-learn", "--as-of", SECOND_DAY)
    refused = mainstem("replay", shop_log, *arguments)
    assert 1 == refused.returncode
    assert "mainstem: the home has already replayed " in refused.stderr
    assert (
        " come before the first event later than 2026-01-02T12:00:00.000Z; give another --home, "
        "or --verify to compare this one with what it had at that time" in refused.stderr
    )


@pytest.mark.parametrize("more", [(), ("--verify",)])
def test_a_moment_before_the_first_event_is_refused(
    more: tuple[str, ...], whole: dict[str, Any], shop_log: Path, mainstem: Run
) -> None:
    """A moment before the first event is refused, also with `--from-start`, and nothing is lost."""
    keep = more or ("--from-start", "--partitions", 2, "--no-learn")
    refused = mainstem("replay", shop_log, "--home", whole["home"], "--as-of", "2025-12-31", *keep)
    line = (
        "mainstem: every event of the log is later than 2025-12-31T00:00:00.000Z; "
        "give a later moment"
    )
    assert (1, [line]) == (refused.returncode, refused.stderr.splitlines()[-1:])
    assert (Path(whole["home"]) / "checkpoint").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--as-of", "yesterday"), "got 'yesterday'"),
        (("--as-of", "2026-01-02T00:00", "--verify"), "got '2026-01-02T00:00'"),
        (("--verify",), "give the moment as --as-of"),
        (
            ("--verify", "--as-of", "2026-01-02", "--seed", "3"),
            "--verify takes settings from the home",
        ),
    ],
)
def test_wrong_use_is_one_line(
    arguments: tuple[str, ...], told: str, tmp_path: Path, mainstem: Run
) -> None:
    """Wrong options are refused in one line before anything is read or made."""
    done = mainstem("replay", tmp_path / "none.jsonl", "--home", tmp_path / "home", *arguments)
    assert (2, 1) == (done.returncode, len(done.stderr.splitlines()))
    assert told in done.stderr
    assert [] == list(tmp_path.iterdir())
