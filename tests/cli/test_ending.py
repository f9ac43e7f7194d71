"""The end of a replay for people: its figures have labels, and its commands work as printed."""

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mainstem.cli.ending_rounds import counting, quality
from mainstem.store.versions import RoundTold, VersionTold
from tests.conftest import Run


@pytest.fixture(scope="module")
def told(
    small_home: Path, small_log: Path, tmp_path_factory: pytest.TempPathFactory, mainstem: Run
) -> tuple[str, Path]:
    """The end of the output of a replay of the short log, and its home."""
    home = tmp_path_factory.mktemp("told") / "home"
    shutil.copytree(small_home, home, symlinks=True)
    done = mainstem("replay", small_log, "--home", home)
    assert 0 == done.returncode, done.stderr
    return done.stdout, home


def section(text: str, title: str) -> list[str]:
    """Return the lines below a title up to the next empty line."""
    return text.split(f"\n{title}", 1)[1].split("\n\n", maxsplit=1)[0].splitlines()[1:]


def test_rounds_sets_and_hashes_are_those_of_the_report(
    told: tuple[str, Path], small_home: Path, mainstem: Run
) -> None:
    """Rounds, sets, ledger and hashes agree with the JSON report."""
    text, _ = told
    report = json.loads((small_home.parent / "report.json").read_text())
    rows = [row for row in section(text, "rounds") if row.split()[-1][0] == "."]
    rounds = {row.split()[0]: row for row in rows if row.split()[0].isdecimal()}
    assert [str(one["version"]) for one in report["rounds"]] == list(rounds)
    for one in report["rounds"]:
        assert f"{one['drawn']:,}" in rounds[str(one["version"])].split()
    sets = {row.split()[0]: row.split()[1] for row in section(text, "sets")[:4]}
    judged = sum(report["sets"].values())
    query = "SELECT count() AS apart FROM trusted_now WHERE part IN ('direction', 'gate')"
    asked = mainstem("sql", query, "--home", small_home, "--json").stdout
    apart = json.loads(asked)["apart"]
    assert apart > 0
    title = f"{judged:,} samples at the last judgement; {apart:,} more guide or check the model"
    assert f"\nsets: {title}\n" in text
    assert {name: f"{count:,}" for name, count in report["sets"].items()} == sets
    sums = section(text, "ledger in balance")
    assert ["1,500", "lines", "="] == sums[0].split()[:3]
    assert f"{report['ledger']['question']:,} questions" in sums[0]
    assert report["hash"] in text
    assert report["set_hash"] in text


def test_the_end_fits_eighty_columns_without_colour(told: tuple[str, Path]) -> None:
    """No line is wider than 80 columns unless it names the home, and no line has control codes."""
    text, home = told
    plain = [line for line in text.splitlines() if str(home) not in line]
    assert [] == [line for line in plain if len(line) > 80]
    assert "\x1b" not in text


def test_what_to_do_next_works_as_printed(told: tuple[str, Path]) -> None:
    """Each command that is printed works in the same shell and has output."""
    text, _ = told
    commands = [
        line.strip() for line in section(text, "what to do next") if line.startswith("    ")
    ]
    verbs = [
        next(word for word in shlex.split(line) if word in ("explain", "sql")) for line in commands
    ]
    assert ["explain", "sql"] == verbs
    for line in commands:
        assert line.startswith(f"{shlex.quote(sys.executable)} -m mainstem.cli ")
        done = subprocess.run(
            ["bash", "-c", line], capture_output=True, text=True, check=False, timeout=120
        )
        assert 0 == done.returncode, done.stderr
        assert len(done.stdout.splitlines()) > 1


def report_of(newest: float | None, plain: dict[str, float | None]) -> dict[str, Any]:
    """Make the part of a report about the quality of versions and plain rankings."""
    versions = [{"version": 0, "auc_later": 0.5}, {"version": 3, "auc_later": newest}]
    return {
        "later": {"samples": 10, "labels": ["no", "yes"]},
        "versions": versions,
        "baselines": {"popularity": 0.7, "overlap": 0.6, "co_occurrence": 0.65} | plain,
    }


@pytest.mark.parametrize(
    ("newest", "plain", "verdict"),
    [
        (0.69, {}, "Popularity ranks these better than version 3 does."),
        (0.62, {}, "Popularity and co-occurrence rank these better than version 3 does."),
        (0.71, {}, "Version 3 ranks these at least as well as each plain ranking."),
        (0.69, {"popularity": None}, "Version 3 ranks these at least as well as each plain"),
    ],
)
def test_it_is_said_what_ranks_better(
    newest: float, plain: dict[str, float | None], verdict: str
) -> None:
    """Versions and plain rankings are one list, best first, and the text names the better."""
    lines = list(quality(report_of(newest, plain)))
    figures = [line.split()[0] for line in lines[1:] if line.startswith("  .")]
    assert sorted(figures, reverse=True) == figures
    assert verdict in lines[-1]
    assert len(lines) == 2 + len(figures)


@pytest.mark.parametrize(
    ("auc", "popularity", "logistic", "beats", "words"),
    [
        (0.75, 0.7, 0.72, 1, "popularity .700 and a regression on behaviour .720: it ranks better"),
        (0.71, 0.7, 0.72, 0, "an AUC of .710, popularity .700 and"),
        (0.71, None, 0.72, 0, "a regression on behaviour .720: it ranks no better than counting"),
        (0.75, 0.7, None, 1, "an AUC of .750, popularity .700: it ranks better"),
    ],
)
def test_the_newest_version_is_held_against_counting(
    auc: float, popularity: float | None, logistic: float | None, beats: int, words: str
) -> None:
    """The end of a replay says whether the newest promoted version ranks better than counting."""
    told = [
        VersionTold(1, 0, 1, "", None, 0.9, 0.1, 0.1, 1),
        VersionTold(2, 1, 1, "", None, auc, popularity, logistic, beats),
        VersionTold(3, 2, 0, "worse", None, 0.1, 0.9, 0.9, 0),
    ]
    [lines] = counting(told)
    assert words in " ".join(lines.split())
    assert [] == list(counting([VersionTold(1, 0, 1, "", None, 0.9, None, None, None)]))
    assert [] == list(counting([]))


def test_a_figure_that_is_none_is_not_compared() -> None:
    """Versions with scores that are not finite are not compared."""
    lines = list(quality(report_of(float("nan"), {})))
    assert "not known (its scores are not finite)" in lines[-1]


@pytest.mark.parametrize(
    ("cold", "weighed", "told"),
    [(0, 1, "core and edge"), (1, 1, "all, by weight"), (0, 0, "all, alike"), (1, 0, "all, alike")],
)
def test_a_round_says_what_it_drew_from(cold: int, weighed: int, told: str) -> None:
    """A round that heeded no evidence drew all alike; at cold start it drew by weight alone."""
    one = RoundTold(1, 9, 9, cold, "gate", 0.5, 0.7, 0.6, 0.6, 1, "", weighed)
    assert told == one.drawn_from
