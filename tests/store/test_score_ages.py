"""How old scores are, and how many samples of a set are outdated or have an item that is gone."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from mainstem.answers.item_now import item_now
from mainstem.settings import Learning
from mainstem.settings.durations import DAY
from mainstem.store import Store
from mainstem.store.item_texts import ITEM_OF_SAMPLE
from mainstem.store.score_ages import SCORE_AGE, SETS_TOLD, score_ages
from mainstem.store.writes import columns_of

START = 14_000  # days since 1970


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty history."""
    with Store(f"chdb://{tmp_path / 'history'}") as opened:
        yield opened


def day(number: float) -> int:
    """Event time of a day of the test, in milliseconds."""
    return int((START + number) * DAY)


def sampled(store: Store, number: int, when: float, **more: Any) -> None:
    row = {"sample_id": UUID(int=number), "event_time": day(when), "source": "view"}
    store.write("samples", columns_of([row | more]))


def scored(store: Store, number: int, when: float, *versions: int) -> None:
    visit = {"sample_id": UUID(int=number), "event_time": day(when), "offset": number}
    visit |= {"norm": 1.0, "scale": 1.0, "label": 1, "part": "stream"}
    store.write("responses", columns_of([visit | {"version": one} for one in versions]))


@pytest.fixture
def aged(store: Store) -> Store:
    """Versions of days 0, 10, 20 and 30, of which that of day 20 was refused; newest day 40."""
    rows = [
        {"version": one, "event_time": day(10 * one), "promoted": int(one != 2)} for one in range(4)
    ]
    store.write("versions", columns_of(rows))
    for number, when, versions in ((1, 5, (0, 1)), (2, 15, (1,)), (3, 5, (0,)), (4, 40, (3,))):
        sampled(store, number, when)
        scored(store, number, when, *versions)
    return store


@pytest.mark.parametrize(
    ("number", "version", "at", "behind", "days"),
    [
        (1, 1, 10, 1, 30),  # scored again by the version of day 10
        (2, 1, 15, 1, 25),  # came when that version was in use
        (3, 0, 5, 2, 35),  # the refused version counts for nothing
        (4, 3, 40, 0, 0),
    ],
)
def test_a_score_is_as_old_as_its_version_or_its_sample(
    aged: Store, number: int, version: int, at: int, behind: int, days: int
) -> None:
    """It was made when the sample came or the version was made, whichever is later."""
    [found] = SCORE_AGE.of(aged, sample=str(UUID(int=number)))
    when = datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None) + timedelta(days=START + at)
    assert (UUID(int=number), version, when, behind, days) == found
    assert {UUID(int=number): found} == score_ages(aged, [UUID(int=number)])
    rows = aged.rows("SELECT * FROM score_age WHERE sample_id = {id:UUID}", id=UUID(int=number))
    names = "sample_id, scored_by, versions_behind, scored_at, days"
    assert [tuple(getattr(found, name) for name in names.split(", "))] == rows


def test_a_sample_that_was_never_scored_has_no_age(aged: Store) -> None:
    """There is no row for a sample without a response."""
    sampled(aged, 9, 3)
    assert [] == SCORE_AGE.of(aged, sample=str(UUID(int=9)))


def test_sets_say_how_old_scores_and_texts_are(aged: Store) -> None:
    """A set has the mean ages of its scores, its outdated samples, and those of gone items."""
    rows = [
        {"item_id": name, "event_time": day(when), "event_id": f"{name}{when}", "title": title}
        for name, when, title in (("a", 0, "red cup"), ("a", 20, "blue mug"), ("b", 0, "lamp"))
    ]
    aged.write("items", columns_of(rows))
    for number, when, item_id, text in ((5, 6, "a", "red cup"), (6, 7, "b", "lamp")):
        sampled(aged, number, when, item_id=item_id, item_text=text)
        scored(aged, number, when, 1)
    stands = [
        {"sample_id": UUID(int=number), "standing": "edge", "reason": "undecided"}
        for number in (1, 3, 5, 6)
    ]
    aged.write("standings", columns_of(stands))
    [found] = SETS_TOLD.of(aged, beyond=0.5, gone_after=25 * DAY)
    assert (4, 5 / 4, (30 + 35 + 30 + 30) / 4) == (
        found.samples,
        found.versions_behind,
        found.score_days,
    )
    assert (1, 1) == (found.outdated, found.gone)  # b was seen last on day 7, and a on day 20
    [found] = SETS_TOLD.of(aged, beyond=1.0, gone_after=0)
    assert (0, 0) == (found.outdated, found.gone)


@pytest.mark.parametrize(
    ("number", "learning", "expected"),
    [
        (5, {}, (True, False, 0.5 ** (20 / 30), 20.0, "blue mug")),
        (5, {"outdated_half_life": 0}, (True, False, 1.0, 20.0, "blue mug")),
        (5, {"outdated_beyond": 1.0}, (False, False, 1.0, 20.0, "blue mug")),
        (6, {}, (False, False, 1.0, 0.0, "")),
        (6, {"gone_after": 32 * DAY}, (False, True, 0.0, 0.0, "")),
        (6, {"gone_after": 33 * DAY}, (False, False, 1.0, 0.0, "")),
        (7, {}, None),
    ],
)
def test_a_story_says_what_the_catalogue_says_by_now(
    aged: Store, number: int, learning: dict[str, Any], expected: Any
) -> None:
    """Outdated, gone, what it counts in a draw, how long ago that is, and the present text."""
    rows = [
        {"item_id": name, "event_time": day(when), "event_id": f"{name}{when}", "title": title}
        for name, when, title in (
            *(("a", 0, "red cup"), ("a", 20, "blue mug"), ("b", 0, "lamp")),
            ("a", 41, "told after the newest question"),
        )
    ]
    aged.write("items", columns_of(rows))
    sampled(aged, 5, 6, item_id="a", item_text="red cup | price 2 to 5", price_band="2 to 5")
    sampled(aged, 6, 7.5, item_id="b", item_text="lamp")
    sampled(aged, 7, 7, source="labelled", item_id="a", item_text="red cup")
    told = item_now(ITEM_OF_SAMPLE.of(aged, sample=str(UUID(int=number))), Learning(**learning))
    names = ("outdated", "gone", "counts", "days", "text_now")
    assert expected == (told and tuple(told[name] for name in names))


@pytest.mark.parametrize(
    ("before", "now", "changed"),
    [
        ("red cup", "red mug", 2 / 3),
        ("红色茶杯", "红色茶壶", 2 / 5),  # three of five characters are in both
        ("Delmar 红杯", "delmar 红杯", 0),
        ("Delmar 红杯", "Delmar 杯红 2", 1 / 4),
    ],
)
def test_the_share_of_words_that_changed_counts_chinese_characters(
    store: Store, before: str, now: str, changed: float
) -> None:
    """Of the words of either text, and of Chinese ones the characters, the share not in both."""
    rows = [
        {"item_id": "a", "event_time": day(when), "event_id": f"a{when}", "title": title}
        for when, title in ((0, before), (2, now))
    ]
    store.write("items", columns_of(rows))
    sampled(store, 1, 1, item_id="a", item_text=before)
    sampled(store, 2, 3, item_id="b", item_text="lamp")
    [(found,)] = store.rows("SELECT sum(changed) FROM changed_texts")  # a text as it was has no row
    assert found == pytest.approx(changed)
