"""A home in Python."""

import doctest
import gzip
import json
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pytest

import mainstem
from mainstem.bootstrap import open_store
from mainstem.errors import HomeError, LogError, SettingError, StoreError, VersionError
from mainstem.settings import Settings
from mainstem.settings.urls import url_of

PAIRS = [
    ("HAND WARMER UNION JACK", "HAND WARMER RED POLKA DOT | price 1 to 2"),
    ("", "JUMBO BAG RED RETROSPOT | price 1 to 2"),
    ("SET OF 6 VINTAGE NOTELETS KIT", "FANCY FONT BIRTHDAY CARD, | price 0.2 to 0.5"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the first 600 lines of the excerpt, and a home that has read them."""
    folder = tmp_path_factory.mktemp("notebook")
    with gzip.open(mainstem.demo_log()) as lines:
        (folder / "log.jsonl").write_bytes(b"".join(lines.readlines()[:600]))
    said = []
    report = mainstem.open_home(folder / "shop").replay(folder / "log.jsonl", say=said.append)
    assert (683, "600 lines, 415 samples") == (report["samples"], said[-1])
    return folder


@pytest.fixture(scope="module")
def home(folder: Path) -> mainstem.Home:
    return mainstem.open_home(folder / "shop")


def printed(folder: Path, *words: str) -> list[dict[str, object]]:
    """Return what the command line prints of the home as JSON."""
    command = [sys.executable, "-m", "mainstem.cli", *words, "--home", str(folder / "shop")]
    done = subprocess.run([*command, "--json"], check=True, capture_output=True, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_sql_sets_and_versions_are_those_of_the_command_line(
    folder: Path, home: mainstem.Home
) -> None:
    """A data frame holds the rows that the command of the same name prints."""
    question = "SELECT item_id, label FROM samples_now ORDER BY sample_id LIMIT 3"
    assert printed(folder, "sql", question) == home.sql(question).to_dict("records")
    assert [row["samples"] for row in printed(folder, "sets")] == home.sets()["samples"].tolist()
    assert [row["version"] for row in printed(folder, "versions")] == (
        home.versions()["version"].tolist()
    )


def test_a_parameter_of_a_question_is_a_value(home: mainstem.Home) -> None:
    """A quote in a parameter does not end a string."""
    assert ["it's"] == home.sql("SELECT {word:String} AS word", word="it's")["word"].tolist()
    for name in ("query", "self", "sql", "questions", "folder", "url"):
        found = home.sql(f"SELECT {{{name}:String}} AS word", **{name: "it's"})
        assert ["it's"] == found["word"].tolist()
    with pytest.raises(StoreError, match="parameter 'word' and no value for it; in Python, give"):
        home.sql("SELECT {word:String} AS word")


def test_the_history_cannot_be_changed(home: mainstem.Home) -> None:
    """A statement that writes is refused."""
    with pytest.raises(StoreError, match="only questions are allowed"):
        home.sql("DROP TABLE samples")


def test_a_sample_is_explained_by_the_beginning_of_its_id(
    folder: Path, home: mainstem.Home
) -> None:
    """A sample is explained alike by eight digits and by its whole id, with events from the log."""
    [sample] = home.samples("edge", limit=1).to_dict("records")
    story = home.explain(str(sample["sample_id"])[:8], log=folder / "log.jsonl")
    assert str(sample["sample_id"]) == story["sample_id"]
    assert story["events"][0]["event_id"]
    assert {**story, "events": None} == home.explain(sample["sample_id"])
    with pytest.raises(ValueError, match="a sample id is a UUID"):
        home.explain("abc")
    for none in ("0" * 8, "0" * 32):
        with pytest.raises(
            StoreError, match="; `SELECT sample_id FROM samples LIMIT 9` lists some"
        ):
            home.explain(none)


def test_the_samples_of_a_set_come_by_importance(home: mainstem.Home) -> None:
    """The samples of a set come in order of importance, and their labels have names."""
    found = home.samples("edge", limit=10)
    assert 10 == len(found)
    assert sorted(found["importance"], reverse=True) == found["importance"].tolist()
    assert {"no", "yes"} >= set(found["label"])
    assert home.samples("spent").empty
    with pytest.raises(
        ValueError, match="a set is one of core, edge, noise, contradictory, spent; got"
    ):
        home.samples("good")
    with pytest.raises(ValueError, match="limit is a number of rows, 0 or more; got -1"):
        home.samples("edge", limit=-1)


def test_scores_are_probabilities_and_responses_of_the_pairs(home: mainstem.Home) -> None:
    """Probabilities add up to one, and the loss is minus the log of the label's probability."""
    found = home.score(PAIRS, labels=["yes", "no", "yes"], version=0)
    assert np.allclose(1, found["no"] + found["yes"])
    assert np.allclose(
        -np.log([found["yes"][0], found["no"][1], found["yes"][2]]), found["loss"], atol=1e-5
    )
    assert (found["norm"] > 0).all()
    again = home.score(PAIRS)
    assert ["context", "item", "no", "yes"] == list(again.columns)
    assert np.allclose(found["yes"], again["yes"], atol=1e-6)


@pytest.mark.parametrize(
    ("labels", "words"),
    [(["yes"], "as many labels as pairs; got 1 for 3"), (["yes", "?", "no"], "got '?'")],
)
def test_labels_that_do_not_fit_are_refused(
    home: mainstem.Home, labels: list[str], words: str
) -> None:
    """A wrong number of labels and an unknown label name are refused."""
    with pytest.raises(ValueError, match=words.replace("?", r"\?")):
        home.score(PAIRS, labels=labels)


@pytest.mark.parametrize("pairs", [("red", "cup"), ["ab"], [("red", 5)], [("a", "b", "c")]])
def test_pairs_that_are_not_two_texts_are_refused(home: mainstem.Home, pairs: list[object]) -> None:
    """The error shows the first such pair."""
    with pytest.raises(ValueError, match="each pair is a context and an item's text"):
        home.score(pairs)


def test_a_deployment_hides_its_password() -> None:
    """What a notebook prints of a home names the server alone."""
    home = mainstem.open_home(store="clickhouse://user:secret@shop.example:8123/mainstem")
    assert "<mainstem deployment at shop.example>" == repr(home)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"learning.round_every": "x"}, "learning.round_every must be of type int; got 'x'"),
        ({"join.grace": "10m"}, "join.grace must be of type int of milliseconds; got '10m'"),
        ({"MAINSTEM_JOIN__GRACE": 5}, "did you mean join.grace?"),
    ],
)
def test_settings_that_cannot_be_are_refused(given: dict[str, object], words: str) -> None:
    """The error names the setting and what it was given."""
    with pytest.raises(SettingError) as caught:
        mainstem.open_home("shop", settings=given)
    assert words in str(caught.value)


def test_a_version_that_is_not_there_is_refused(home: mainstem.Home, tmp_path: Path) -> None:
    """A missing version is refused by an error that names the existing versions."""
    with pytest.raises(VersionError, match=r"there is no version 7 in .*; there are: 0"):
        home.score(PAIRS, version=7)
    with pytest.raises(
        HomeError, match=r"new' is no home of mainstem; `mainstem replay LOG --home"
    ):
        mainstem.open_home(tmp_path / "new").score(PAIRS)
    with pytest.raises(VersionError, match="there are: none"):
        mainstem.open_home(versions=url_of("file", tmp_path / "new")).score(PAIRS)
    assert not (tmp_path / "new").exists()


def test_a_home_that_is_not_there_has_no_history(tmp_path: Path) -> None:
    """A question to a missing home is refused and makes no home."""
    with pytest.raises(HomeError, match="is no home of mainstem"):
        mainstem.open_home(tmp_path / "new").sets()
    assert not (tmp_path / "new").exists()


def test_a_home_goes_on_with_its_own_settings(folder: Path) -> None:
    """A new home takes the given settings, and an existing home keeps its own."""
    given = Settings.of({"run.seed": 5})
    assert given == mainstem.open_home(folder / "new", settings={"run.seed": 5}).settings
    assert "purchases" == mainstem.open_home(folder / "shop").settings.join.questions


def test_settings_that_contradict_a_home_are_refused(folder: Path) -> None:
    """The settings of a home that was made with others are refused, as by a replay."""
    home = mainstem.open_home(folder / "shop", settings={"run.seed": 5})
    with pytest.raises(HomeError, match=r"made with other settings \(run.seed 0 there, 5 now\)"):
        home.score(PAIRS)
    same = mainstem.open_home(folder / "shop", settings={"run.snapshot_every": 7})
    assert ("purchases", 7) == (same.settings.join.questions, same.settings.run.snapshot_every)


def test_a_replay_that_cannot_be_is_refused_before_anything_is_touched(
    folder: Path, home: mainstem.Home
) -> None:
    """The home keeps its samples, and no home is made beside it."""
    log = folder / "log.jsonl"
    with pytest.raises(TypeError, match="say takes a function, such as print; got 'print'"):
        home.replay(log, say="print")  # type: ignore[arg-type]
    with pytest.raises(
        SettingError, match=r"write a moment like .*; got datetime.date\(2011, 1, 1"
    ):
        home.replay(log, as_of=date(2011, 1, 1))  # type: ignore[arg-type]
    assert 683 == home.sql("SELECT count() AS samples FROM samples_now")["samples"].item()
    away = mainstem.open_home(folder / "none", store="clickhouse://localhost:1")
    with pytest.raises(SettingError, match="a replay needs a folder, not store="):
        away.replay(log)
    with pytest.raises(StoreError, match="cannot open the history clickhouse://localhost:1: "):
        away.sql("SELECT 1")
    assert not (folder / "none").exists()


def test_another_home_of_this_process_is_told_to_wait(folder: Path, tmp_path: Path) -> None:
    """chDB has one history open in a process, and the error names it."""
    shutil.copytree(folder / "shop" / "history", tmp_path / "other", symlinks=True)
    home = mainstem.open_home(folder / "shop")
    with (
        open_store(url_of("chdb", tmp_path / "other"), make=False),
        pytest.raises(StoreError, match=r"this process has the history '.*/other' open, and chDB"),
    ):
        home.sets()


def test_a_log_of_which_no_sample_comes_is_an_error(tmp_path: Path) -> None:
    """A log of which no sample comes is an error that says what is missing."""
    log = tmp_path / "log.jsonl"
    log.write_text(
        '{"type":"item","event_id":"n1","event_timestamp":1291191000000,'
        '"item_id":"a","title":"t"}\n'
    )
    with pytest.raises(LogError, match="no line is an event of a shopper"):
        mainstem.open_home(tmp_path / "shop").replay(log)


def test_what_the_environment_asks_to_compute_with_counts_for_a_new_home(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It scores in the precision asked for; begun again, it does without a broken record."""
    monkeypatch.setenv("MAINSTEM_RESPONSES__PRECISION", "bfloat16")
    lines = (folder / "log.jsonl").read_bytes().splitlines(keepends=True)
    log, home = tmp_path / "log.jsonl", mainstem.open_home(tmp_path / "home")
    log.write_bytes(b"".join(lines[:100]))
    home.replay(log, learn=False)
    assert "bfloat16" == home.settings.responses.precision
    monkeypatch.delenv("MAINSTEM_RESPONSES__PRECISION")
    home.replay(log, learn=False)
    assert "bfloat16" == home.settings.responses.precision
    (tmp_path / "home" / "settings.json").write_text("{")
    with pytest.raises(HomeError, match="cannot be read"):
        home.replay(log, learn=False)
    home.replay(log, learn=False, from_start=True)
    assert "float32" == home.settings.responses.precision


def test_a_history_elsewhere_is_asked_by_its_url(folder: Path, tmp_path: Path) -> None:
    """The given store and versions of a deployment replace those of the home."""
    shutil.copytree(folder / "shop" / "history", tmp_path / "history", symlinks=True)
    away = mainstem.open_home(
        tmp_path / "none",
        store=url_of("chdb", tmp_path / "history"),
        versions=url_of("file", folder / "shop" / "versions"),
    )
    assert 683 == away.sql("SELECT count() AS samples FROM samples_now")["samples"].item()
    assert 1 == len(away.score(PAIRS[:1]))


def test_the_page_about_python_shows_what_it_prints(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every example of docs/python.md runs in order and prints the output that the page shows."""
    page = Path(__file__).parents[1] / "docs" / "python.md"
    (folder / "log.jsonl").rename(folder / "shop.jsonl")
    monkeypatch.chdir(folder)
    failed, tried = doctest.testfile(str(page), module_relative=False)
    assert (0, True) == (failed, tried > 20)
