"""Grades in a shop's own table become labelled pairs, with their relevance as a number."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from mainstem.errors import ImportSourceError
from mainstem.events import Event, Labelled
from mainstem.importers.table import events_of
from mainstem.importers.table_map import read_map
from tests.importers.importing import joined, kinds

PAIRS = """
time = { always = "2026-01-01" }
user = "rater"
query = "words"
kind = { always = "labelled" }
item = { id = "sku", title = "name", category = "dept" }
grade = { column = "relevance", lowest = 1, highest = 3 }
"""
PAGES = """
time = "at"
user = "shopper"
query = "words"
item = { id = "sku", title = "name" }
page = { id = "request", position = "place" }
grade = { column = "relevance", highest = 4 }
"""


def read(folder: Path, text: str, rows: list[dict[str, Any]]) -> tuple[list[Event], Counter[str]]:
    """Return the events of rows by a map, and what was left out."""
    (folder / "map.toml").write_text(text)
    left_out: Counter[str] = Counter()
    return list(events_of(rows, read_map(folder / "map.toml"), left_out)), left_out


def pair(relevance: object, **fields: object) -> dict[str, Any]:
    """Return a row of a table of graded pairs."""
    row = {"rater": 1, "words": "cup", "sku": "M-1", "name": "red cup", "dept": "cups"}
    return {**row, "relevance": relevance, **fields}


def test_a_graded_pair_has_its_relevance_from_0_to_1(tmp_path: Path) -> None:
    """Grades from 1 to 3 become relevances from 0 to 1, and a half is the least that is yes."""
    rows = [pair("1"), pair(1.5, rater=2), pair("2.0"), pair(3)]
    events, left_out = read(tmp_path, PAIRS, [*rows, pair(""), pair(2, words=" ")])
    assert [(0.0, "no"), (0.25, "no"), (0.5, "yes"), (1.0, "yes")] == [
        (one.grade, one.label) for one in events if isinstance(one, Labelled)
    ]
    [first, *_] = events
    assert isinstance(first, Labelled)
    assert ("cup", "red cup", "M-1", "cups") == (
        first.text,
        first.pair,
        first.item_id,
        first.category,
    )
    assert {"no grade": 1, "no query": 1} == dict(left_out)
    assert 4 == joined(events)["question"]


def test_shown_items_may_have_grades_beside_their_clicks(tmp_path: Path) -> None:
    """A graded item of an impression is a pair as well; an item without a grade is shown alone."""
    page = {"at": "2026-01-01 10:00", "shopper": "s", "request": "r", "words": "cup"}
    rows = [
        {**page, "sku": sku, "name": f"{sku} cup", "place": place, "relevance": grade}
        for place, (sku, grade) in enumerate([("red", "4"), ("blue", ""), ("big", "1")], start=1)
    ]
    events, _ = read(tmp_path, PAGES, rows)
    assert {"Item": 3, "Impression": 1, "Labelled": 2} == dict(kinds(events))
    assert [("red", 1.0), ("big", 0.25)] == [
        (one.item_id, one.grade) for one in events if isinstance(one, Labelled)
    ]


@pytest.mark.parametrize("grade", ["4", "-1", "good"])
def test_a_grade_outside_of_its_range_is_told_with_its_row(grade: str, tmp_path: Path) -> None:
    """A grade that is no number, or lies outside of the map's range, stops the import."""
    with pytest.raises(ImportSourceError, match=r"row 2 .*grade"):
        read(tmp_path, PAIRS, [pair(2), pair(grade)])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('query = "words"\n', ""), "add query = 'COLUMN'"),
        (('title = "name", ', ""), "add item.title"),
        (("labelled", "view"), "has grades, which belong to a query and a title"),
        (("lowest = 1", "lowest = 3"), "grade.lowest that is not below grade.highest"),
        (('grade = { column = "relevance", lowest = 1, highest = 3 }', ""), "add grade.column"),
    ],
)
def test_a_map_whose_grades_belong_to_nothing_is_refused(
    change: tuple[str, str], message: str, tmp_path: Path
) -> None:
    """A map with grades must name query and title, and a range; labelled rows must have grades."""
    with pytest.raises(ImportSourceError) as caught:
        read(tmp_path, PAIRS.replace(*change), [])
    assert message in str(caught.value)
