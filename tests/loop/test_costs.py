"""A replay has counted every pass and feature: held against visits, rounds and words of texts."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from mainstem.asking import answers
from mainstem.embedded.home import HomeFolder
from mainstem.settings import Settings
from mainstem.versions import Versions

VISITS = """
    SELECT r.version AS version, context_text, item_text
    FROM (SELECT * FROM responses FINAL) AS r
    INNER JOIN (SELECT * FROM samples FINAL) AS s
    ON r.sample_id = s.sample_id AND r.label_version = s.label_version"""
SPENT = "SELECT version, kind, count(), sum(samples), sum(tokens) FROM costs_now GROUP BY ALL"
ROUNDS = "SELECT version, drawn, promoted FROM rounds FINAL ORDER BY version"


@pytest.fixture(scope="module")
def spent(small_home: Path) -> dict[tuple[int, str], tuple[int, int, int]]:
    """Rows, samples and tokens of the small home, by version and kind."""
    [(_, rows)] = answers(small_home, None, [SPENT])
    return {(version, kind): tuple(counts) for version, kind, *counts in rows}


def test_visits_cost_their_tokens(small_home: Path, spent: Any) -> None:
    """Each visit counts once, with the tokens that the tokenizer makes of its two texts."""
    [(_, rows)] = answers(small_home, None, [VISITS])
    with HomeFolder(small_home, create=False) as home:
        tokenizer = Versions(home.versions_url).load(0).tokenizer
    most = Settings().model.max_tokens
    expected: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for version, *pair in rows:
        expected[version][0] += 1
        expected[version][1] += min(len(tokenizer.encode(*pair).ids), most)
    found: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for (version, kind), (visits, samples, tokens) in spent.items():
        if kind in {"score", "rescore"}:
            assert visits == samples
            found[version][0] += samples
            found[version][1] += tokens
    assert expected == found
    assert len(found) > 1
    assert (0, "rescore") not in spent


def test_each_sample_has_its_features_computed_once(small_home: Path, spent: Any) -> None:
    """Features count a row for each sample that has them, at its position, and no tokens."""
    places = "SELECT partition, offset FROM {} ORDER BY ALL"
    [(_, features), (_, counted)] = answers(
        small_home,
        None,
        [places.format("features FINAL"), places.format("costs_now WHERE kind = 'features'")],
    )
    assert features == counted
    told = [counts for (_, kind), counts in spent.items() if kind == "features"]
    assert len(told) > 1  # more than one version was in use
    assert [(rows, rows, 0) for rows, *_ in told] == told
    assert len(features) == sum(rows for rows, *_ in told)


def test_rounds_cost_what_they_drew(small_home: Path, spent: Any) -> None:
    """A round of one epoch trains on its draw, and ranks the samples that it held out."""
    [(_, rounds)] = answers(small_home, None, [ROUNDS])
    assert len(rounds) > 1
    for version, drawn, promoted in rounds:
        trained = spent[version, "train"][1]
        assert 0 <= trained - drawn <= 200  # at most so many are held out
        assert spent[version, "evaluate"][1] > 0
        assert bool(promoted) == (spent[version, "scale"][1] > 0)
        assert bool(promoted) == ((version, "later") in spent)


def test_what_a_version_cost_is_the_same_everywhere(
    small_home: Path, mainstem: Any, spent: Any
) -> None:
    """The report of the replay, the command `versions` and the page tell the same figures."""
    report = json.loads((small_home.parent / "report.json").read_text())
    told = {(one["version"], one["kind"]): one["tokens"] for one in report["costs"]}
    assert {key: tokens for key, (_, samples, tokens) in spent.items() if samples} == told
    lines = mainstem("versions", "--home", small_home, "--json").stdout.splitlines()
    page = mainstem("report", "--home", small_home, "-o", "-").stdout
    weighed = {one["version"]: one["weighed"] for one in report["rounds"]}
    for one in map(json.loads, lines):
        assert one["weighed"] == weighed.get(one["version"])
        mine = [cost for cost in report["costs"] if cost["version"] == one["version"]]
        passes = [cost for cost in mine if cost["kind"] != "features"]
        assert one["samples"] == sum(cost["samples"] for cost in passes)
        assert one["tokens"] == sum(cost["tokens"] for cost in mine)
        work = sum(cost["forward_equivalents"] for cost in mine)
        assert one["forward_equivalents"] == pytest.approx(work, abs=0.5)
        assert one["seconds"] == pytest.approx(sum(cost["seconds"] for cost in mine), abs=0.01)
        features = sum(cost["seconds"] for cost in mine) - sum(cost["seconds"] for cost in passes)
        assert one["feature_seconds"] == pytest.approx(features, abs=0.01)
        assert f"<td>{one['tokens']:,}</td>" in page
