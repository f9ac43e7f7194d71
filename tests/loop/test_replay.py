"""Replays of real purchases: the same log gives the same results, however the replay is divided."""

import json
from pathlib import Path
from typing import Any

import pytest

from mainstem.embedded.home import HomeFolder
from mainstem.store import Store
from tests.conftest import Run, excerpt_lines


def report(done: Any) -> dict[str, Any]:
    """Return the JSON object that a replay prints at its end."""
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def whole(small_home: Path) -> dict[str, Any]:
    """Report of an uninterrupted replay of the short log."""
    return json.loads((small_home.parent / "report.json").read_text())


@pytest.fixture(scope="module")
def frozen(
    small_log: Path, tmp_path_factory: pytest.TempPathFactory, mainstem: Run
) -> dict[str, Any]:
    """Report of a replay that trains nothing."""
    home = tmp_path_factory.mktemp("frozen") / "home"
    return report(mainstem("replay", small_log, "--home", home, "--no-learn", "--json"))


def test_a_report_has_every_part_a_machine_reads(whole: dict[str, Any]) -> None:
    """A report has ledger, samples, hashes, sets, rounds, versions, baselines, and its pace."""
    hashes, others, pace = (
        {"hash", "hash_0_1", "counts_hash", "set_hash"},
        {"baselines", "against_trees", "home", "later", "ledger", "rounds", "samples", "uncounted"},
        {"seconds", "first_promoted_s", "seconds_by", "scoring_share"},
    )
    assert hashes | others | pace | {"sets", "versions", "costs"} == set(whole)
    assert {"core", "edge", "contradictory", "spent"} == set(whole["sets"])
    told = {"version", "available", "drawn", "before", "after", "promoted", "reason", "weighed"}
    assert told == set(whole["rounds"][0])
    assert all(one["drawn"] <= one["available"] for one in whole["rounds"])


def test_the_seconds_of_a_replay_add_up_to_no_more_than_it_took(whole: dict[str, Any]) -> None:
    """Each stage has its own seconds, and the first version is promoted before the end."""
    by = whole["seconds_by"]
    assert {"join", "features", "score", "rescore", "train", "evaluate"} == set(by)
    assert 0 < min(by.values())
    assert sum(by.values()) < whole["seconds"]
    assert 0 < whole["first_promoted_s"] < whole["seconds"]
    assert 0 < whole["scoring_share"] < 1


def test_the_ledger_balances_and_counts_every_line(whole: dict[str, Any], small_log: Path) -> None:
    """The ledger counts every line of the log once, and its three sums hold."""
    ledger = whole["ledger"]
    read = sum(
        ledger[name]
        for name in ("question", "outcome", "context", "duplicate", "late", "rejected", "accepted")
    )
    assert (len(small_log.read_bytes().splitlines()), 0) == (read, ledger["balance"])


def test_rounds_are_run_and_sets_are_filled(whole: dict[str, Any]) -> None:
    """A replay of a short log runs rounds, each with a reason, and fills core and edge."""
    assert [(1, True), (2, True), (3, True)] == [
        (one["version"], one["promoted"]) for one in whole["rounds"]
    ]
    assert all(one["reason"] for one in whole["rounds"])
    assert whole["sets"]["core"] > 0
    assert whole["sets"]["edge"] > 0


def test_nothing_is_called_contradictory_where_canaries_are_only_assumed(
    whole: dict[str, Any],
) -> None:
    """A replay without trusted samples calls no label contradictory."""
    assert whole["sets"]["contradictory"] == 0


def test_the_number_of_partitions_does_not_change_samples(
    frozen: dict[str, Any], small_home: Path, small_log: Path, tmp_path: Path, mainstem: Run
) -> None:
    """One partition and four partitions give the same samples, labels, ledger and features."""
    four = report(
        mainstem(
            "replay",
            small_log,
            "--home",
            tmp_path / "four",
            "--partitions",
            4,
            "--no-learn",
            "--json",
        )
    )
    assert frozen["hash"] == four["hash"]
    assert frozen["ledger"] == four["ledger"]
    of_one, of_four = features(small_home), features(tmp_path / "four")
    assert of_one == of_four
    assert len(of_one) > 1000
    # the log has purchases only, so what counts clicks or showings does not vary
    assert sum(len(set(column)) > 1 for column in zip(*of_one.values(), strict=True)) > 20


def features(folder: Path) -> dict[str, tuple[float, ...]]:
    """The features of the samples of a home, by sample id."""
    with HomeFolder(folder, create=False) as home, Store(home.store_url) as store:
        found = store.rows("SELECT toString(sample_id), values FROM features FINAL")
        return {sample_id: tuple(values) for sample_id, values in found}


def test_learning_does_not_change_samples(frozen: dict[str, Any], whole: dict[str, Any]) -> None:
    """Learning does not change the joined samples."""
    assert frozen["hash"] == whole["hash"]
    assert frozen["rounds"] == []


def test_the_same_command_twice_gives_the_same_sets(
    whole: dict[str, Any], small_log: Path, tmp_path: Path, mainstem: Run
) -> None:
    """A second replay gives the same samples, versions and standings under any Python hash seed."""
    home, environment = tmp_path / "again", {"PYTHONHASHSEED": "7"}
    again = report(mainstem("replay", small_log, "--home", home, "--json", env=environment))
    same = ("hash", "set_hash", "rounds", "versions", "sets")
    assert {name: whole[name] for name in same} == {name: again[name] for name in same}


def test_a_replay_that_is_done_can_be_asked_again(
    whole: dict[str, Any], small_log: Path, tmp_path: Path, mainstem: Run
) -> None:
    """A replay of a log that grew ends like a replay of the whole log."""
    log, home = tmp_path / "grows.jsonl", tmp_path / "home"
    log.write_bytes(b"".join(excerpt_lines(1000)))
    short = report(mainstem("replay", log, "--home", home, "--no-learn", "--json"))
    log.write_bytes(small_log.read_bytes())
    grown = report(mainstem("replay", log, "--home", home, "--no-learn", "--json"))
    assert short["samples"] < grown["samples"]
    assert (whole["hash"], whole["ledger"]) == (grown["hash"], grown["ledger"])


def test_standard_input_is_a_log_too(
    frozen: dict[str, Any], small_log: Path, tmp_path: Path, mainstem: Run
) -> None:
    """A replay reads the log from standard input when its path is `-`."""
    with small_log.open() as file:
        done = mainstem(
            "replay", "-", "--home", tmp_path / "home", "--no-learn", "--json", stdin=file
        )
    assert frozen["hash"] == report(done)["hash"]


def test_other_settings_are_refused_until_told_to_begin_again(
    small_log: Path, tmp_path: Path, mainstem: Run
) -> None:
    """A home refuses other settings until `--from-start` begins it again."""
    log, home = tmp_path / "short.jsonl", tmp_path / "home"
    log.write_bytes(b"".join(small_log.read_bytes().splitlines(keepends=True)[:300]))
    common = ("replay", log, "--home", home, "--no-learn", "--json")
    report(mainstem(*common))
    refused = mainstem(*common, "--seed", 5)
    assert refused.returncode == 1
    assert "seed 0 there, 5 now" in refused.stderr
    assert report(mainstem(*common, "--seed", 5, "--from-start"))["samples"] > 0
