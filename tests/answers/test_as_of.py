"""Comparing two histories table by table, and reporting the rows that differ."""

from collections.abc import Sequence
from typing import Any

from mainstem.answers.as_of import Held, compare
from mainstem.store.then import BY_THEN, Then

PLACE = Then(partition=0, samples=9, events=9, items=9, hour=9, version=1, judgement=6, every=3)
RESPONSE = ("a", 0, 1, 1, "stream", 2.0, 1.0, 0.5, 0.25, None)
STANDING = ("a", 0, "edge", "new", 6, 0.5, 0.5, 1.25, 0.0)


class History:
    """A history that has some rows of some tables in its only partition."""

    def __init__(self, **rows: Sequence[tuple[Any, ...]]) -> None:
        self.rows = {BY_THEN[table].sql: list(some) for table, some in rows.items()}

    def __call__(
        self, questions: Sequence[str], **bounds: Any
    ) -> list[tuple[tuple[str, ...], list[tuple[Any, ...]]]]:
        """Give the rows of each query that is asked."""
        assert PLACE._asdict() == bounds
        return [((), self.rows.get(question, [])) for question in questions]


def held(table: str, there: Sequence[tuple[Any, ...]], replayed: Sequence[tuple[Any, ...]]) -> Held:
    """Compare one table that has these rows in the history and those in the replay."""
    found = compare(History(**{table: there}), History(**{table: replayed}), [PLACE])
    assert list(BY_THEN) == [one.table for one in found]
    return next(one for one in found if one.table == table)


def changed(row: tuple[Any, ...], **values: Any) -> tuple[Any, ...]:
    """Return a row in which `_0`, `_1` and so on replace the values at those places."""
    return tuple(values.get(f"_{place}", value) for place, value in enumerate(row))


def test_equal_rows_agree_in_any_order() -> None:
    """The order of rows does not matter."""
    rows = [changed(RESPONSE, _0=name) for name in "abc"]
    found = held("responses", rows, rows[::-1])
    assert (3, 0, [], 0.0) == (found.rows, found.differ, found.first, found.worst)


def test_a_row_on_one_side_only_differs() -> None:
    """A row that is missing from one side is reported with its key."""
    other = changed(RESPONSE, _0="b")
    found = held("responses", [other], [RESPONSE])
    where = "label_version 0, version 1"
    expected = [
        f"partition 0, sample_id a, {where}: not there",
        f"partition 0, sample_id b, {where}: there, and not replayed",
    ]
    assert (2, expected) == (found.differ, found.first)


def test_numbers_agree_to_four_digits_and_no_further() -> None:
    """Numbers agree up to the rounding of sums, a missing alignment and a zero do not."""
    assert 0 == held("responses", [changed(RESPONSE, _5=2.0001)], [RESPONSE]).differ
    assert 0.00004 < held("responses", [changed(RESPONSE, _5=2.0001)], [RESPONSE]).worst < 0.0001
    assert [
        "partition 0, sample_id a, label_version 0, version 1: norm 2.001 there, 2.0 replayed"
    ] == held("responses", [changed(RESPONSE, _5=2.001)], [RESPONSE]).first
    assert 1 == held("responses", [changed(RESPONSE, _9=0.0)], [RESPONSE]).differ


def test_only_the_first_differences_are_told_and_all_are_counted() -> None:
    """The report names the first three differences and counts all of them."""
    found = held("responses", [], [changed(RESPONSE, _0=name) for name in "abcdefg"])
    assert (7, 3) == (found.differ, len(found.first))


def test_a_standing_differs_unless_its_figures_are_a_little_apart() -> None:
    """A changed standing differs; one whose figures moved a little is listed as near instead."""
    moved = changed(STANDING, _2="core", _3="important")
    assert (1, []) == (
        held("standings", [moved], [STANDING]).differ,
        held("standings", [moved], [STANDING]).near,
    )
    near = held("standings", [changed(moved, _7=1.2505)], [STANDING])
    assert (0, 1) == (near.differ, len(near.near))
    assert 1 == held("standings", [changed(moved, _7=1.26)], [STANDING]).differ


def test_an_older_judgement_of_the_same_standing_agrees() -> None:
    """A standing agrees when an older judgement made it, and differs when the standing differs."""
    assert 0 == held("standings", [changed(STANDING, _4=5, _7=9.0)], [STANDING]).differ
    assert 1 == held("standings", [changed(STANDING, _4=5, _2="core")], [STANDING]).differ


def test_features_agree_value_by_value() -> None:
    """Features may differ by rounding; the largest difference is told, and a larger one differs."""
    row = ("a", 0, "x,y", [0.5, -1.0])
    near, far = changed(row, _3=[0.50001, -1.0]), changed(row, _3=[0.5, -2.0])
    found = held("features", [near], [row])
    assert (0, 1e-5) == (found.differ, round(found.worst, 8))
    assert ["partition 0, sample_id a: values [0.5, -2] there, [0.5, -1] replayed"] == held(
        "features", [far], [row]
    ).first
    assert 1 == held("features", [changed(row, _3=[0.5])], [row]).differ
