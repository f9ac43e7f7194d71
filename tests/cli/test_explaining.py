"""The story of `mainstem explain` agrees with history, judge and join, and fits one screen."""

import json
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given

from mainstem.answers.explain import MEANINGS, events_of, story_of
from mainstem.embedded.home import SOCKET, HomeFolder
from mainstem.errors import LogError
from mainstem.events import Refusal, encode
from mainstem.ids import uuid_of
from mainstem.scoring import ScoringWorker
from mainstem.settings import Settings
from mainstem.standing import REASONS
from mainstem.store import Store
from mainstem.store.answering import Answerer
from tests.cli.asking import asker
from tests.conftest import SMALL, Run
from tests.join.generated import EXAMPLES, WINDOWS, Log, asks, join, logs
from tests.join.shop import click, impression, short

THERE = Settings.from_environment(SMALL)
DAY = 86_400_000


@pytest.fixture
def opened(small_home: Path) -> Iterator[Store]:
    """The history of the short log."""
    with HomeFolder(small_home, create=False) as home, Store(home.store_url) as store:
        yield store


@pytest.fixture
def kinds(small_home: Path) -> dict[str, str]:
    """A core sample, an edge sample, a canary and a gate sample of the short log, by name."""
    queries = {
        "core": "SELECT min(toString(sample_id)) FROM standings_now WHERE standing = 'core'",
        "edge": (
            "SELECT min(toString(sample_id)) FROM standings_now "
            "WHERE standing = 'edge' AND visits > 2"
        ),
        "canary": "SELECT min(toString(sample_id)) FROM responses WHERE part = 'canary'",
        "gate": "SELECT min(toString(sample_id)) FROM trusted WHERE part = 'gate'",
    }
    with HomeFolder(small_home, create=False) as home, Store(home.store_url) as store:
        return {name: store.rows(query)[0][0] for name, query in queries.items()}


def test_every_reason_has_a_meaning() -> None:
    """Each reason of the judge has a meaning in plain words, and there are no others."""
    assert set(REASONS) == set(MEANINGS)


def test_a_story_agrees_with_the_history(
    small_home: Path, kinds: dict[str, str], mainstem: Run
) -> None:
    """Standing, visits, verdicts, importance and rounds of a story agree with the tables."""
    for name in ("core", "edge", "canary"):
        story = json.loads(mainstem("explain", kinds[name], "--home", small_home, "--json").stdout)
        names = "standing, reason, importance, visits, importance_of_mean, alignment"
        query = f"SELECT {names} FROM standings_now WHERE sample_id = '{kinds[name]}'"
        now = json.loads(mainstem("sql", query, "--home", small_home, "--json").stdout)
        assert (now["standing"], now["reason"]) == (story["standing"], story["reason"])
        assert now["visits"] == story["now"]["visits"]
        # rows hold some of the figures in half precision
        for figure in ("importance", "importance_of_mean", "alignment"):
            told = story["now"][figure]
            assert now[figure] == (told and pytest.approx(told, rel=2e-3)), figure
        query = (
            f"SELECT {names} FROM moves_now WHERE sample_id = '{kinds[name]}' "
            "ORDER BY judgement DESC LIMIT 1"
        )
        moved = json.loads(mainstem("sql", query, "--home", small_home, "--json").stdout)
        assert moved == pick(story["verdicts"][-1], *moved)
        judged_by = [
            visit
            for visit in story["visits"]
            if visit["version"] <= story["verdicts"][-1]["version"]
        ]
        assert judged_by[-1]["importance"] == pytest.approx(moved["importance"])
        assert story["visits"][now["visits"] - 1]["importance"] == pytest.approx(now["importance"])
        cosines = [
            visit["alignment"]
            for visit in story["visits"][: now["visits"]]
            if visit["alignment"] is not None
        ]
        mean = sum(cosines) / len(cosines) if cosines else None  # forward visits have none
        assert mean == (now["alignment"] and pytest.approx(now["alignment"], abs=1e-6))
        rows = mainstem("history", kinds[name], "--home", small_home, "--json").stdout.splitlines()
        visits = [json.loads(row) for row in rows if json.loads(row)["table"] == "visits"]
        of_mean, alignment = now["importance_of_mean"], story["now"]["alignment"]
        assert visits[now["visits"] - 1]["importance_of_mean"] == (
            of_mean and pytest.approx(of_mean, rel=2e-3)
        )
        length = "" if of_mean is None else f", length of its mean response {of_mean:.3g}"
        cosine = "no alignment yet" if alignment is None else f"alignment {alignment:.3g}"
        told = f"(1 is the mean canary){length}; {cosine}."
        assert told in mainstem("explain", kinds[name], "--home", small_home).stdout
        trained = [json.loads(row) for row in rows if json.loads(row)["table"] == "trained"]
        assert [row["version"] for row in trained] == [row["version"] for row in story["rounds"]]


def pick(verdict: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return some fields of a verdict."""
    return {name: verdict[name] for name in names}


def test_the_stratum_is_the_one_that_the_judge_used(opened: Store) -> None:
    """The canaries of a verdict are those in the columns that the judge used, built again."""
    judgements = opened.rows(
        "SELECT judgement, version, canaries FROM judgements FINAL "
        "WHERE canaries > 0 ORDER BY judgement"
    )
    seen = set()
    for judgement, version, _ in judgements:
        worker = ScoringWorker(opened, THERE, [0], trusted=False)
        worker.rebuild({0: judgement}, version, {0: 0})
        columns = worker.rows[0]
        for (sample,) in opened.rows(
            "SELECT sample_id FROM moves WHERE judgement = {at:UInt64} "
            "AND p_value IS NOT NULL ORDER BY sample_id LIMIT 5",
            at=judgement,
        ):
            row = columns.row_of(sample)
            story = story_of(str(sample), THERE, asker(opened))
            [verdict] = [one for one in story["verdicts"] if one["judgement"] == judgement]
            canaries, margins = columns.canaries.at(int(columns["last_version"][row]))
            same_label = margins[columns["label"][canaries] == columns["label"][row]]
            reference = same_label if len(same_label) >= THERE.standing.canary_minimum else margins
            expected = (len(reference), int((reference <= columns["recent_margin"][row]).sum()))
            assert expected == (verdict["stratum_canaries"], verdict["at_least_as_doubtful"])
            seen.add(verdict["stratum"])
    assert {"all", "label"} == seen


def test_it_is_one_screen(
    small_home: Path, small_log: Path, kinds: dict[str, str], mainstem: Run
) -> None:
    """A story has at most 48 lines of 100 columns, with standing, text and meaning."""
    for sample in kinds.values():
        done = mainstem("explain", sample, "--home", small_home, "--log", small_log)
        lines = done.stdout.splitlines()
        assert (0, "") == (done.returncode, done.stderr)
        assert len(lines) <= 48
        assert max(map(len, lines)) <= 100
        story = json.loads(mainstem("explain", sample, "--home", small_home, "--json").stdout)
        assert story["meaning"] == lines[1]
        assert story["question"]["item_text"] in done.stdout
        assert {"core": "core, important", "gate": "not judged"}.get(
            next(name for name in kinds if kinds[name] == sample), ""
        ) in lines[0]


def test_a_sample_is_found_by_its_first_digits_and_by_its_event(
    small_home: Path, small_log: Path, kinds: dict[str, str], mainstem: Run
) -> None:
    """A sample is found by its id, its first digits, or its event and item."""
    options = ("--home", small_home, "--log", small_log, "--json")
    whole = mainstem("explain", kinds["core"], *options).stdout
    story = json.loads(whole)
    names = [[kinds["core"][:8]], [kinds["core"].replace("-", "")[:20].upper()]]
    names.append(
        ["--event", story["events"][0]["event_id"], "--item", story["question"]["item_id"]]
    )
    for name in names:
        assert whole == mainstem("explain", *name, *options).stdout
    rows = [
        mainstem("history", name, "--home", small_home).stdout
        for name in (kinds["core"], kinds["core"][:8])
    ]
    assert rows[0] == rows[1] != ""


@pytest.mark.parametrize("name", [(), ("1234567",), ("not-an-id",), ("35e58da0", "--event", "e")])
def test_what_names_no_sample_is_wrong_use(name: tuple[str, ...], mainstem: Run) -> None:
    """A missing, short, invalid or doubled name of a sample is one line and exit code 2."""
    done = mainstem("explain", *name)
    assert (2, "", 1) == (done.returncode, done.stdout, len(done.stderr.splitlines()))


@pytest.mark.parametrize("name", ["00000000", "00000000-0000-0000-0000-000000000000"])
def test_an_unknown_sample_is_one_line(small_home: Path, name: str, mainstem: Run) -> None:
    """A sample that is not in the history is an error in one line."""
    done = mainstem("explain", name, "--home", small_home)
    assert (1, "", 1) == (done.returncode, done.stdout, len(done.stderr.splitlines()))
    assert "no sample" in done.stderr


def test_a_holder_tells_the_same_story(
    small_home: Path, kinds: dict[str, str], mainstem: Run
) -> None:
    """The story is the same while another process holds the home."""
    ways = [[kinds["core"]], [kinds["core"][:8], "--json"]]
    alone = [mainstem("explain", *way, "--home", small_home).stdout for way in ways]
    with (
        HomeFolder(small_home, create=False) as home,
        Store(home.store_url),
        Answerer(home.folder / SOCKET, partial(Store, home.store_url)),
    ):
        assert alone == [mainstem("explain", *way, "--home", small_home).stdout for way in ways]


@EXAMPLES
@given(logs(copies=False), asks)
def test_the_events_of_a_sample_are_those_the_join_folded(log: Log, questions: str) -> None:
    """A sample's events are its question and the outcomes folded into its newest label."""
    settings = short(**WINDOWS, questions=questions)
    newest = {sample.sample_id: sample for sample in join(log.arrived, log.end, questions).samples}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.jsonl"
        written = [b"bad" if isinstance(event, Refusal) else encode(event) for event in log.arrived]
        path.write_bytes(b"\n".join(written) + b"\n")
        for sample in newest.values():
            question = {
                name: getattr(sample, name)
                for name in ("question_id", "event_time", "source", "item_id")
            }
            found = events_of(path, {**question, "event_timestamp": sample.event_time}, settings)
            assert sample.question_id == uuid_of("question", found[0]["event_id"])
            assert list(sample.outcomes) == [event["kind"] for event in found[1:]]
            assert all(event["event_id"].encode() in written[event["line"] - 1] for event in found)


def test_a_log_without_the_question_is_refused(tmp_path: Path) -> None:
    """A log without the sample's question is refused with the question's time."""
    path = tmp_path / "other.jsonl"
    path.write_bytes(encode(click("c", 5, "cup")) + b"\n" + encode(impression("i", 7, "cup")))
    question = {
        "question_id": UUID(int=1),
        "event_time": "1970-01-01",
        "event_timestamp": 7,
        "source": "view",
        "item_id": "cup",
    }
    with pytest.raises(LogError, match="1970-01-01"):
        events_of(path, question, Settings())
