"""Each feature is what a hand-worked case says it is, and windows end where they should."""

import math

import numpy as np
import pytest

from mainstem.behaviour import (
    FEATURE_NAMES,
    FEATURES,
    HOUR,
    Asked,
    Counted,
    Sums,
    features,
    query_key,
)
from mainstem.join import Sample
from tests.behaviour.counting import sample

DAY = 24
END = 500_000 // DAY * DAY
NOW = (END + 1) * HOUR
CUP = query_key("red cup")
ASKER = sample(
    event_time=NOW,
    item_id="b",
    history=("a", "c"),
    category="cups",
    query="red cup",
    context_text="red cup ; blue cup ; big red cup",
    item_text="red cup | cups | price 2 to 5",
    price=4.0,
    history_price=2.0,
    item_age=9 * DAY * HOUR,
    own_touches=3,
    own_purchases=1,
    own_last=2 * DAY * HOUR,
)


def row(kind: str, key: str, other: str, back: int, position: int = 0, **counts: int) -> Counted:
    """Counts of a key `back` hours before the end of the windows."""
    names = ("shown", "clicked", "carted", "purchased", "returned")
    sums = [counts.get(name, 0) for name in names]
    return Counted(kind, key, other, position, END - back, *sums)


ROWS = [
    row("item", "b", "", 1, 1, shown=10, clicked=3, purchased=2),
    row("item", "b", "", DAY + 1, purchased=1),
    row("item", "b", "", 8 * DAY, 2, shown=20, clicked=4, carted=5),
    row("item", "b", "", 31 * DAY, purchased=4, returned=6, clicked=2),
    row("item", "a", "", 3, purchased=8, clicked=3),
    row("item", "c", "", 40 * DAY, purchased=3),
    row("category", "cups", "", 2, purchased=19, clicked=50),
    row("category", "cups", "", 50 * DAY, purchased=30),
    row("query", CUP, "", DAY, clicked=9, purchased=1),
    row("query", CUP, "", 60 * DAY, clicked=40, purchased=5),
    row("query_item", CUP, "b", DAY, 1, shown=6, clicked=3),
    row("query_item", CUP, "b", 60 * DAY, 2, shown=1, clicked=1, purchased=2),
    row("pair", "a", "b", 5, purchased=2, clicked=1),
    row("pair", "b", "c", 40 * DAY, purchased=1, clicked=4),
    row("", "", "", 4, 1, shown=100, clicked=20),
    row("", "", "", 4, 2, shown=100, clicked=5),
]
BY_HAND = {
    "item_purchased_1": math.log(3),
    "item_purchased_7": math.log(4),
    "item_purchased_30": math.log(4),
    "item_purchased_90": math.log(8),
    "item_clicked_7": math.log(4),
    "item_clicked_30": math.log(8),
    "item_carted_30": math.log(6),
    "item_shown_7": math.log(11),
    "item_shown_30": math.log(31),
    "item_returned_90": math.log(7),
    "item_coec_7": math.log((3 + 5) / (10 * 0.2 + 5)),
    "item_coec_30": math.log((7 + 5) / (10 * 0.2 + 20 * 0.05 + 5)),
    "item_coec_90": math.log((7 + 5) / (10 * 0.2 + 20 * 0.05 + 5)),
    "item_purchases_per_click": math.log((7 / 1 + 1) / (9 / 10 + 1)),
    "item_share_of_category": math.log((7 / 1 + 1) / (49 / 20 + 1)),
    "item_trend": math.log((6 / 7 + 1) / (10 / 30 + 1)),
    "category_purchased_7": math.log(20),
    "category_purchased_90": math.log(50),
    "query_clicked_30": math.log(10),
    "query_clicked_90": math.log(50),
    "query_purchased_30": math.log(2),
    "query_purchased_90": math.log(7),
    "query_item_clicked_30": math.log(4),
    "query_item_clicked_90": math.log(5),
    "query_item_purchased_30": 0.0,
    "query_item_purchased_90": math.log(3),
    "query_item_coec_90": math.log((4 + 2) / (6 * 0.2 + 1 * 0.05 + 2)),
    "pair_purchased_30": math.log(3),
    "pair_purchased_90": math.log(4),
    "pair_clicked_30": math.log(2),
    "pair_clicked_90": math.log(6),
    "pair_cosine_purchased_30": math.log1p(20 * 2 / math.sqrt(4 * 9)),
    "pair_cosine_purchased_90": math.log1p(20 * (2 / math.sqrt(8 * 9) + 1 / math.sqrt(8 * 4))),
    "pair_cosine_clicked_30": math.log1p(20 * 1 / math.sqrt(8 * 4)),
    "pair_cosine_clicked_90": math.log1p(20 * (1 / math.sqrt(10 * 4) + 4 / math.sqrt(10 * 1))),
    "item_age": math.log(10),
    "price": math.log(4),
    "price_ratio": math.log(2),
    "price_distance": math.log(2),
    "own_touches": math.log(4),
    "own_purchases": math.log(2),
    "own_recency": math.log(3),
    "in_history": 0.0,
    "history_length": math.log(3),
    "words_shared": 2 / 7,  # red and cup, of red cup cups price 2 to 5
    "words_nearest": 2 / 3,
    "hour_sin": math.sin(2 * math.pi / 24),  # one hour after midnight
    "hour_cos": math.cos(2 * math.pi / 24),
}


def known(one: Sample, rows: list[Counted]) -> dict[str, float]:
    """The features of a sample by name."""
    [values] = features([one], Sums.of(Asked.of([one], HOUR), rows)).tolist()
    return dict(zip(FEATURE_NAMES, values, strict=True))


@pytest.mark.parametrize("name", [name for name in FEATURE_NAMES if "weekday" not in name])
def test_a_feature_is_what_is_worked_out_by_hand(name: str) -> None:
    """Every feature of one sample equals a figure that was worked out from the rows."""
    [feature] = [one for one in FEATURES if one.name == name]
    expected = (BY_HAND[name] - feature.centre) / feature.spread
    assert pytest.approx(max(min(expected, 3), -3), abs=1e-6) == known(ASKER, ROWS)[name]


def test_weekdays_go_around_from_monday() -> None:
    """At the start of a Monday the sine is 0 and the cosine 1; 1970-01-05 was a Monday."""
    found = known(sample(event_time=4 * DAY * HOUR), [])
    assert (0.0, 1.0) == pytest.approx((found["weekday_sin"], found["weekday_cos"]))


def test_what_is_not_known_is_zero() -> None:
    """Without query, category, history, price and age the features that need them are 0."""
    found = known(sample(item_text="cup"), [])
    unknown = ("query", "category", "pair", "price", "own_recency", "words", "item_age")
    for name, value in found.items():
        if name.startswith(unknown) or name.endswith("category"):
            assert value == 0, name


def test_without_impressions_clicks_over_expected_clicks_are_the_prior() -> None:
    """Where nothing is shown at a position, clicks tell nothing about positions."""
    rows = [row("item", "a", "", 1, clicked=9, purchased=9)]
    found = known(sample(event_time=NOW), rows)
    assert [0.0] * 3 == [found[f"item_coec_{days}"] for days in (7, 30, 90)]


@pytest.mark.parametrize(("back", "seen"), [(0, False), (1, True), (DAY, True), (DAY + 1, False)])
def test_a_window_holds_the_hours_from_its_first_to_its_last(back: int, seen: bool) -> None:
    """A window of one day holds 24 hours, the last of which is over an hour before the question."""
    found = known(sample(event_time=NOW), [row("item", "a", "", back, purchased=1)])
    none = known(sample(event_time=NOW), [])
    assert seen == (found["item_purchased_1"] > none["item_purchased_1"])


def test_an_hour_counts_once_it_is_over_for_as_long_as_the_lag() -> None:
    """A millisecond before an hour is over for long enough, its counts are left out."""
    rows = [row("item", "a", "", 1, purchased=1)]
    before, after = known(sample(event_time=NOW - 1), rows), known(sample(event_time=NOW), rows)
    assert before["item_purchased_1"] < after["item_purchased_1"]


def test_a_batch_gives_each_sample_the_features_that_it_has_alone() -> None:
    """Samples that share a query of the counts do not change each other's features."""
    samples = [ASKER, sample(event_time=NOW - 5 * HOUR, history=("b",)), sample(event_time=NOW)]
    together = features(samples, Sums.of(Asked.of(samples, HOUR), ROWS))
    for one, values in zip(samples, together, strict=True):
        mine = Asked.of([one], HOUR)
        keys = {*mine.items, *mine.categories, *mine.queries, ""}
        pairs = {*mine.pairs, *mine.query_items}
        rows = [
            each
            for each in ROWS
            if ((each.key, each.other) in pairs if each.other else each.key in keys)
        ]
        np.testing.assert_array_equal(values, features([one], Sums.of(mine, rows))[0])


def test_every_feature_says_what_it_is() -> None:
    """Names are unique, and a manifest can hold each transform in one line."""
    assert len(set(FEATURE_NAMES)) == len(FEATURES)
    assert all("\n" not in one.transform and one.spread > 0 for one in FEATURES)
    assert not any("," in one.name for one in FEATURES)
