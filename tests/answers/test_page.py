"""The report as a page: what it shows, and what no log can make of it."""

import json
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

import mainstem
from mainstem.answers.ablation import Ablation, Without
from mainstem.answers.page.facts import Facts, LaterPart, facts_of, features_that_count
from mainstem.answers.page.layout import auc_told
from mainstem.answers.page.page import page_of
from mainstem.answers.page.source import Source
from mainstem.asking import answers
from mainstem.join.ledger import LedgerRow, new_counts
from mainstem.models import initial_encoder, train_tokenizer
from mainstem.settings import Settings
from mainstem.store import Store
from mainstem.store.evaluations import EvaluationTold
from mainstem.store.named import Query
from mainstem.store.telling import Refused
from mainstem.store.texts import Member
from mainstem.store.versions import ROUNDS_TOLD, VERSIONS_TOLD, RoundTold, VersionTold
from mainstem.versions import Versions
from tests.strict_html import Page

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style></title></svg><b>",
    "<!-- & &lt; &#60; ]]> <![CDATA[",
    "' onmouseover='x",
    "`a` {{b}} ${c} %s",
)
"""Texts that would break out of an element, an attribute, a comment or a template."""


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Facts:
    """What an empty history says."""
    with Store(f"chdb://{tmp_path_factory.mktemp('empty') / 'history'}") as store:

        def ask(*queries: Query, **parameters: object) -> list[list]:
            return [query.of(store, **parameters) for query in queries]

        return facts_of(Source("empty", Settings()), ask)


def test_a_version_of_before_reads_words_alone(tmp_path: Path) -> None:
    """A version without features, and a history without its versions, are told in a sentence."""
    versions = Versions(f"file://{tmp_path / 'versions'}")
    source, ask = Source("of before", Settings()), lambda *queries, **_: [[] for _ in queries]
    assert "not at hand" in features_that_count(source, ask, versions)
    assert "not at hand" in features_that_count(source, ask, None)
    words = initial_encoder(train_tokenizer(["red cup"], 60), 32, 7)
    versions.save(words, version=0, parent=None, event_time=0, reason="the first version")
    assert "Version 0 reads words alone." == features_that_count(source, ask, versions)


@pytest.fixture(scope="module")
def report(small_home: Path) -> dict:
    """The report that the replay of the small home printed."""
    return json.loads((small_home.parent / "report.json").read_text())


@pytest.fixture(scope="module")
def page(small_home: Path) -> Page:
    """The page about the small home."""
    return Page(mainstem.open_home(small_home).report())


def rows(page: Page) -> list[list[str]]:
    """Return the cells of each table row of a page that is read once more, row by row."""
    found: list[list[str]] = []
    number = {"th": 0, "td": 0}
    for name, _ in page.elements:
        if name == "tr":
            found.append([])
        elif name in number:
            found[-1].append(page.texts[name][number[name]])
            number[name] += 1
    return found


def test_the_page_of_a_home_is_sound_html_that_loads_nothing(page: Page) -> None:
    """Elements are closed in order, ids are unique, and nothing runs or loads."""
    assert [] == page.faults
    assert {"svg", "table", "section", "figure"} <= page.names()
    pictures = [one for name, one in page.elements if name == "svg"]
    assert len(pictures) >= 3
    for one in pictures:
        assert {"role", "aria-labelledby", "aria-describedby"} <= one.keys()
    assert len(page.texts["details"]) >= len(pictures)


def test_figures_of_the_page_are_those_of_the_report(page: Page, report: dict) -> None:
    """Hashes, versions, plain rankings, sets and ledger are the ones that the replay printed."""
    hashes = {report[name] for name in ("hash", "counts_hash", "set_hash") if name in report}
    assert hashes <= set(page.texts["code"])
    cells = rows(page)
    for name in ("popularity", "overlap", "co_occurrence"):
        auc = report["baselines"][name]
        shown = {"overlap": "word overlap", "co_occurrence": "co-occurrence"}.get(name, name)
        assert [shown, auc_told(auc)] in cells
    for one in report["versions"]:
        assert [f"version {one['version']}", auc_told(one["auc_later"])] in cells
    newest = auc_told(report["versions"][-1]["auc_later"])
    later = report["later"]["samples"]
    told = f"{later:,} samples that it has not learnt from with an AUC of {newest}"
    assert told in " ".join(page.texts["p"])
    [last] = [row for row in cells if row[1:] == [f"{n:,}" for n in report["sets"].values()]][-1:]
    assert 5 == len(last)
    ledger = {row[0]: row for row in cells if row[-1] in {"yes", "no"} and "=" not in row[0]}
    assert f"{report['ledger']['question']:,}" == ledger["question"][1]
    assert "yes" == ledger["outcome"][3] == ledger["next offset - first offset"][3]


def test_rounds_of_the_page_are_those_of_the_history(page: Page, small_home: Path) -> None:
    """Each round and version is told by the queries that the commands ask."""
    (_, rounds), (_, versions) = answers(small_home, None, [ROUNDS_TOLD.sql, VERSIONS_TOLD.sql])
    later = {one.version: one.auc_later for one in VERSIONS_TOLD.typed(versions)}
    # the table of costs, below, has as many columns
    shown = {row[0]: row for row in reversed(rows(page)) if len(row) == 10}
    for one in ROUNDS_TOLD.typed(rounds):
        expected = [f"{one.drawn:,}", auc_told(one.auc_before), auc_told(one.auc_after)]
        row = shown[str(one.version)]
        assert expected == [row[2], row[4], row[5]]
        assert auc_told(later[one.version]) == row[9]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_of_a_log_becomes_markup(empty: Facts, text: str) -> None:
    """Titles, queries, reasons, paths and names appear as text, and add no element."""
    member = Member(UUID(int=1), "important", 1.0, None, None, 1, "view", text, text)
    version = VersionTold(0, None, 1, text, None, None, None, None, None)
    slice_ = EvaluationTold(0, text, 9, *[None] * 5, 0, None, None)
    refused = RoundTold(1, 9, 9, 0, "gate", 0.5, 0.7, 0.4, 0.8, 0, text)
    facts = replace(
        empty,
        source=replace(empty.source, name=text),
        core=[member],
        contradictory=[member],
        refused=[Refused(text, text, 3)],
        rounds=[refused],
        versions=[version, version._replace(version=1, parent=0, promoted=0)],
        measured=[slice_],
    )
    found, plain = Page(page_of(facts)), Page(page_of(replace(facts, source=empty.source)))
    assert [] == found.faults
    assert text in found.texts["title"][0]
    assert [text] * 5 == found.texts["bdi"]
    assert f"round 1: {text}" in found.texts["li"]
    assert len(found.elements) == len(plain.elements)


def test_text_that_hides_or_turns_is_shown_escaped(empty: Facts) -> None:
    """Control characters and marks of writing direction become visible escapes."""
    member = Member(UUID(int=1), "important", 1.0, None, None, 1, "view", "a\x00\u202eb", "c\n")
    [item, context] = Page(page_of(replace(empty, core=[member]))).texts["bdi"]
    assert ("c\\n", "a\\0\\u202eb") == (item, context)


def test_an_empty_history_gives_a_page_that_says_so(empty: Facts) -> None:
    """Without samples, rounds and a ledger each section says what is missing."""
    page = Page(page_of(empty))
    assert [] == page.faults
    told = " ".join(page.texts["section"])
    for words in ("No sample has been scored", "No round", "Nothing has been judged", "been read"):
        assert words in told
    assert "svg" not in page.names()


def test_a_ledger_that_is_out_is_said(empty: Facts) -> None:
    """A sum that does not hold is marked, with the partition."""
    counts = new_counts() | {"question": 2, "answered": 1}
    row = LedgerRow(topic="events", partition=3, block=0, next_offset=2, counts=counts)
    page = Page(page_of(replace(empty, ledger=[row])))
    assert "Out of balance in events 3." in page.texts["p"]
    assert ["question", "2", "1 answered", "no"] in rows(page)
    assert ["outcome", "0", "0", "yes"] in rows(page)


def test_features_that_count_are_drawn_and_listed(empty: Facts) -> None:
    """The AUC that is lost without a group of features stands in the chart and in the table."""
    lost = [Without("price", ("price",), 0.7, 0.1), Without("the item", ("item_a",), 0.812, -0.012)]
    found = Ablation(3, 90, 0.8, Without("all", ("price", "item_a"), 0.6, 0.2), lost, lost)
    page = Page(page_of(replace(empty, counting=found)))
    assert [] == page.faults
    [described] = page.texts["desc"]
    assert "From most to least: price .100, the item -.012." == described
    assert ["the item", "-.012", ".812", "item_a"] in rows(page)
    assert ["the item", "-.012"] in rows(page)


def test_planted_errors_are_told(empty: Facts) -> None:
    """Where labels were turned wrong, the page says why it shows no plain rankings."""
    source = replace(empty.source, is_planted=True)
    version = VersionTold(0, None, 1, "", 0.7, None, None, None, None)
    facts = replace(empty, source=source, later=LaterPart(9, {}), versions=[version])
    page = Page(page_of(facts))
    assert any("turned wrong on purpose" in text for text in page.texts["p"])
    assert ["version 0", ".700"] in rows(page)
    assert "From best to worst: version 0, the newest .700." in page.texts["desc"]


def test_a_version_that_counting_beats_is_told(empty: Facts) -> None:
    """The table of rounds says what a version is not above, and slices show the newest one."""
    version = VersionTold(1, 0, 1, "", None, 0.6, 0.7, None, 0)
    one = RoundTold(1, 9, 9, 0, "gate", 0.5, 0.7, 0.6, 0.6, 1, "")
    part = EvaluationTold(1, "gate/query=head", 40, 0.6, 0.7, None, 0.61, 0.02, 9, 0.5, 0.4)
    facts = replace(empty, versions=[version], rounds=[one], measured=[part])
    cells = rows(Page(page_of(facts)))
    assert ["yes", "no: popularity .700", "-"] == next(row for row in cells if row[0] == "1")[7:]
    slices = ["gate/query=head", "40", ".600", ".700", "-", ".610", ".020", ".500", ".400"]
    assert slices in cells


def test_a_refused_round_is_marked_and_told(empty: Facts) -> None:
    """A version that the gate refused is listed with its reason."""
    one = RoundTold(1, 9, 9, 0, "gate", 0.5, 0.7, 0.4, 0.8, 0, "AUC .500 -> .400 on 90 samples")
    page = Page(page_of(replace(empty, rounds=[one])))
    assert "round 1: AUC .500 -> .400 on 90 samples" in page.texts["li"]
    [row] = [row for row in rows(page) if row[0] == "1"]
    assert ["no", "-", "-"] == row[7:]
