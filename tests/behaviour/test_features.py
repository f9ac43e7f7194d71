"""Each feature is what a hand-worked case says it is, and windows end where they should."""

import math
from pathlib import Path

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
    text_features,
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
    row("category", "cups", "", 2, 1, shown=50, purchased=19, clicked=40),
    row("category", "cups", "", 50 * DAY, purchased=30),
    row("query_item", CUP, "b", DAY, 1, shown=6, clicked=3),
    row("query_item", CUP, "b", 60 * DAY, 2, shown=1, clicked=1, purchased=2),
    row("pair", "a", "b", 5, purchased=2, clicked=1),
    row("pair", "b", "c", 40 * DAY, purchased=1, clicked=4),
    row("", "", "", 4, 1, shown=90, clicked=19),
    row("", "", "", 4, 2, shown=90, clicked=4, purchased=70),
    row("", "", "", 8 * DAY, 0, shown=90, clicked=60, purchased=40),
]
# clicks over expected clicks: a showing at position 1 explains (19 + 1) / (90 + 10) clicks, at
# position 2 (4 + 1) / (90 + 10)
CATEGORY = (40 + 10) / (50 * 0.2 + 10)
ITEM = (7 + 4 * CATEGORY) / (10 * 0.2 + 20 * 0.05 + 4)
QUERY_ITEM = (4 + 2 * ITEM) / (6 * 0.2 + 1 * 0.05 + 2)
# touches in 90 days: 21 of b, 11 of a, 3 of c, 3 of a with b, 5 of b with c, 193 of the shop
COSINES = (3 / math.sqrt(22 * 12), 5 / math.sqrt(22 * 4))
BY_HAND = {
    "item_purchased_1": math.log(3) / 1.5 - 1,
    "item_purchased_7": math.log(4) / 1.5 - 1,
    "item_purchased_30": math.log(4) / 1.5 - 1,
    "item_purchased_90": math.log(8) / 1.5 - 1,
    "item_clicked_1": math.log(4) / 1.5 - 1,
    "item_clicked_7": math.log(4) / 1.5 - 1,
    "item_clicked_30": math.log(8) / 1.5 - 1,
    "item_clicked_90": math.log(10) / 1.5 - 1,
    "item_carted_7": -1,
    "item_carted_90": math.log(6) / 1.5 - 1,
    "item_shown_7": math.log(11) / 2 - 1,
    "item_shown_90": math.log(31) / 2 - 1,
    "item_return_rate": math.log(6.1 / 12) / 1.5 + 2,
    "item_share_1": (math.log(6 / 1093) + 7.5) / 1.5,
    "item_share_7": (math.log(7 / 1093) + 7.5) / 1.5,
    "item_share_90": (math.log(22 / 1193) + 7.5) / 1.5,
    "item_conversion": math.log(7.4 / 11) + 1.6,
    "category_touches": math.log(90) / 3 - 2,
    "category_coec": 2 * math.log(CATEGORY),
    "item_coec": 1.5 * math.log(ITEM),
    "query_item_coec": 1.5 * math.log(QUERY_ITEM),
    "query_item_clicked": 1.5 * math.log(5) - 1,
    "pair_7": math.log(4) - 1,
    "pair_90": math.log(9) - 1,
    "pair_cosine": 2.5 * math.sqrt(sum(COSINES)) - 1,
    "pair_nearest": 4 * math.sqrt(max(COSINES)) - 1,
    "pair_lift": math.log((8 * 193 + 0.2 * 21 * 14 + 50) / (21 * 14 + 50)) / 1.5,
    "history_touches": math.log(15) / 2 - 1.5,
    "shop_touches": math.log(94) / 2 - 4,
    "own_touches": 2 * math.log(4),
    "own_purchases": 2 * math.log(2),
    "own_recency": 3 / (1 + 2 / 7),
    "in_history": 0.0,
    "price": (math.log(4) - 1) / 1.2,
    "price_ratio": math.log(2) / 1.2,
    "price_distance": 1.5 * math.log(2) - 1,
    "item_age": math.log(1 + 9 * 24) / 1.5 - 2,
    "history_length": 0.0,
    "words_shared": 2.0,  # red and cup, of red cup
    "words_nearest": 4 * 2 / 3 - 1,
    "words_mean": 8 * (1 / 3 + 2 / 3) / 2 - 1,
    "words_query": 2.0,
    "has_query": 1.0,
    "words_both": 5 * 2 / 7 - 1,  # red and cup, of red, cup, cups, price, 2, to, 5
    "words_numbers": 0.0,  # no word of the query has a digit
    "letters_query": 2.0,
    "letters_least": 2.0,
    "hour_sin": 0.5 * math.sin(2 * math.pi / 24),  # one hour after midnight
    "hour_cos": 0.5 * math.cos(2 * math.pi / 24),
}


def known(one: Sample, rows: list[Counted]) -> dict[str, float]:
    """The features of a sample by name."""
    [values] = features([one], Sums.of(Asked.of([one], HOUR), rows)).tolist()
    return dict(zip(FEATURE_NAMES, values, strict=True))


@pytest.mark.parametrize("name", [name for name in FEATURE_NAMES if "weekday" not in name])
def test_a_feature_is_what_is_worked_out_by_hand(name: str) -> None:
    """Every feature of one sample equals a figure that was worked out from the rows."""
    expected = max(min(BY_HAND[name], 3), -3)
    assert pytest.approx(expected, abs=1e-6) == known(ASKER, ROWS)[name]


def test_a_labelled_pair_has_the_features_of_its_words_alone() -> None:
    """The first text stands for the query; what behaviour would tell is 0."""
    [values] = text_features([("M8 bolts", "hex bolt m8 | pack of 10")]).tolist()
    found = dict(zip(FEATURE_NAMES, values, strict=True))
    expected = {
        "words_query": 3 * 1 / 2 - 1,
        "has_query": 1.0,
        "words_both": 5 * 1 / 7 - 1,
        "words_numbers": 1.0,
        "letters_query": 4 * 5 / 7 - 2,  # of ^bolts$ the first three of five
        "letters_least": 4 * 3 / 5 - 2,
    }
    assert pytest.approx(expected, abs=1e-6) == {name: found.pop(name) for name in expected}
    assert not any(found.values())


def test_weekdays_go_around_from_monday() -> None:
    """At the start of a Monday the sine is 0 and the cosine 0.5; 1970-01-05 was a Monday."""
    found = known(sample(event_time=4 * DAY * HOUR), [])
    assert (0.0, 0.5) == pytest.approx((found["weekday_sin"], found["weekday_cos"]))


def test_what_is_not_known_is_zero() -> None:
    """Without category, price, age and an earlier touch the features that need them are 0."""
    found = known(sample(item_text="cup"), [])
    unknown = ("category", "price", "own_recency", "item_age", "item_coec", "query_item_coec")
    assert all(value == 0 for name, value in found.items() if name.startswith(unknown))


def test_an_item_in_its_own_history_is_no_pair() -> None:
    """The item's own touches count among those of the history, and not as a pair."""
    rows = [row("item", "a", "", 1, purchased=8)]
    found = known(sample(event_time=NOW, item_id="a", history=("a",)), rows)
    assert (2.0, -1.0, -1.0) == tuple(
        found[one] for one in ("in_history", "pair_90", "pair_cosine")
    )
    assert pytest.approx(math.log(9) / 2 - 1.5, abs=1e-6) == found["history_touches"]


def test_an_item_is_at_least_an_hour_old() -> None:
    """An item that the catalogue describes at the moment of its question is not told by its age."""
    ages = [known(sample(item_age=age), [])["item_age"] for age in (0, HOUR, 2 * HOUR)]
    assert ages[0] == ages[1] < ages[2]


def test_without_impressions_clicks_over_expected_clicks_are_the_prior() -> None:
    """Where nothing is shown at a position, clicks tell nothing about positions."""
    rows = [row("item", "a", "", 1, clicked=9, purchased=9)]
    found = known(sample(event_time=NOW), rows)
    assert (0.0, 0.0) == (found["item_coec"], found["query_item_coec"])


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
    assert all(one.transform and "\n" not in one.transform for one in FEATURES)
    assert not any("," in one.name for one in FEATURES)


def test_the_page_names_every_feature() -> None:
    """Each feature, or the end of its name after others of its kind, stands in the page."""
    page = (Path(__file__).parents[2] / "docs" / "how-it-works.md").read_text()
    missing = [
        name
        for name in FEATURE_NAMES
        if f"`{name}`" not in page and f"`_{name.rpartition('_')[2]}`" not in page
    ]
    assert [] == missing


def test_words_of_chinese_texts_are_characters() -> None:
    """A query in Chinese matches titles by its characters, as it does with spaces between them."""
    pairs = [
        ("红杯", "红色茶杯"),
        ("红 杯", "红 色 茶 杯"),
        ("黑 cup", "红色茶杯"),
    ]
    joined, spaced, neither = text_features(pairs)
    assert joined.tolist() == spaced.tolist()
    assert joined[FEATURE_NAMES.index("words_query")] == 2.0
    assert neither[FEATURE_NAMES.index("words_query")] < 0
