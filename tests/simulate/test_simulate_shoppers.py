"""The simulated shop's shoppers, words and catalogue, and the shops that are refused."""

from collections import Counter, defaultdict
from io import BytesIO
from statistics import mean
from typing import Any

import pytest

from mainstem.errors import SettingError
from mainstem.events import Impression, Item, Return, Search, Shown, View, decode
from mainstem.simulate import Shop, simulate
from tests.conftest import excerpt_lines
from tests.simulate.simulated import DAY, Made, make


def test_a_plain_shop_is_nearly_certain() -> None:
    """A plain shop has no accidents and a best AUC of at least .95, with labels turned over too."""
    made, turned = make(plain=True, items=500), make(plain=True, items=500, turned_over=0.2)
    assert made.said.best_auc >= 0.95
    assert made.said.best_auc == turned.said.best_auc
    assert ({}, {}) == (made.said.causes, made.said.accidents)
    assert {0.995, 0.005} == set(made.said.probabilities)
    assert 1 / 3 < made.said.probabilities[0.995] / made.said.probabilities.total() < 1 / 2
    assert turned.said.causes["turned over"] / turned.said.probabilities.total() == pytest.approx(
        0.2, abs=0.02
    )
    assert {"turned over"} == set(turned.said.causes)


def test_relevance_can_be_told_from_the_words() -> None:
    """In a plain shop an item is wanted if its category and title match the query."""
    made = make(plain=True, items=500)
    items = {item.item_id: item for item in made.readable(Item)}
    queries = {page.event_id: page.query for page in made.readable(Impression)}
    category_of: dict[str, set[str]] = defaultdict(set)
    for one in made.questions.values():
        adjective, _, noun = queries[one.question].rpartition(" ")
        for item in one.items:
            if item.probability > 0.5:
                category_of[noun].add(items[item.item_id].category)
                assert adjective in items[item.item_id].title
    assert {1} == {len(categories) for categories in category_of.values()}
    assert len(set().union(*category_of.values())) >= 20


def test_shoppers_have_their_habits() -> None:
    """Later positions get fewer clicks, items are returned, and some pages are opened directly."""
    made = make(users=300)
    places: dict[int, list[int]] = defaultdict(list)
    for one in made.questions.values():
        for place, item in enumerate(one.items, start=1):
            if one.source == "impression" and item.label:
                places[place].append(item.cause != "unseen")
    for place in (2, 5, 10):
        assert mean(places[place]) == pytest.approx(1 / (1 + 0.1 * (place - 1)), abs=0.05)
    assert all(places[1])
    searched = {(event.session_id, event.query) for event in made.readable(Search)}
    pages = made.readable(Impression)
    missing = [page for page in pages if (page.session_id, page.query) not in searched]
    # the search of a page is missing only where it was malformed
    assert len(missing) < 0.01 * len(pages)
    shown = pages[0].items
    expected = [Shown(item_id=item.item_id, position=n) for n, item in enumerate(shown, start=1)]
    assert expected == list(shown)
    assert {True, False} == {view.impression_id is None for view in made.readable(View)}
    assert made.readable(Return)


def test_what_is_not_looked_at_is_not_clicked_by_mistake() -> None:
    """Where shoppers look at little but the first position, most mis-clicks are there."""
    made = make(misclicks=1, position_bias=1e2, bots=0, tracking_bug=0)
    places = Counter(
        place
        for one in made.questions.values()
        for place, item in enumerate(one.items, start=1)
        if item.cause == "misclick"
    )
    assert places[1] > 0.8 * places.total() > 100


def test_taste_drifts() -> None:
    """A shopper's favourite colour changes over two drifts and stays without drift."""

    def wanted(made: Made, first: int, last: int) -> dict[str, Counter[str]]:
        title = {item.item_id: item.title.split(" ")[1] for item in made.readable(Item)}
        user = {one.event_id: one.user_id for one in made.readable(Impression)}
        colours: dict[str, Counter[str]] = defaultdict(Counter)
        for one in made.questions.values():
            if one.question in user and first <= (one.time - Shop().begin) // DAY < last:
                for item in one.items:
                    colours[user[one.question]][title[item.item_id]] += item.probability > 0.6
        return colours

    def overlap(made: Made) -> float:
        early, late = wanted(made, 0, 6), wanted(made, 18, 24)
        return mean(
            early[user].most_common(1)[0][0] == late[user].most_common(1)[0][0] for user in early
        )

    shop = {
        "users": 40,
        "items": 800,
        "days": 24,
        "sessions": 4,
        "taste": 20,
        "changes": 0,
        "malformed": 0,
    }
    assert overlap(make(drift=0, **shop)) > 0.8
    assert overlap(make(drift=8, **shop)) < 0.4


def test_the_season_moves_what_is_searched_for() -> None:
    """Half a year moves the shares of searches at least twice as much with a season."""

    def moved(season: float) -> float:
        shares = []
        for first_day in ("2026-01-01", "2026-07-02"):
            made = make(
                first_day=first_day, days=6, users=400, season=season, new_category=0, malformed=0
            )
            words = Counter(search.query.split(" ")[-1] for search in made.readable(Search))
            shares.append({word: count / words.total() for word, count in words.items()})
        return sum(
            abs(shares[0].get(word, 0) - shares[1].get(word, 0)) for word in shares[0] | shares[1]
        )

    assert moved(0.9) > 2 * moved(0)


def test_a_category_comes_later_and_items_change() -> None:
    """A new category is neither listed nor shown before its day, and items change over time."""
    made = make(users=200, new_category=5, changes=0.05, malformed=0, late=0, disordered=0)
    begin = Shop().begin
    first: dict[str, int] = {}
    category: dict[str, str] = {}
    said: dict[str, set[Any]] = defaultdict(set)
    for item in made.readable(Item):
        first.setdefault(item.item_id, item.event_timestamp)
        category[item.item_id] = item.category
        said[item.item_id].add((item.title, item.price))
    new = {item for item, time in first.items() if time >= begin}
    assert {begin + 5 * DAY} == {first[item] for item in new}
    assert 1 == len({category[item] for item in new})
    assert new == {item for item in first if category[item] in {category[one] for one in new}}
    assert all(
        one.time >= first[item.item_id] for one in made.questions.values() for item in one.items
    )
    assert len([item for item in said if len(said[item]) > 1]) > 20


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_shop_speaks_its_language(language) -> None:
    """Queries and titles are in the shop's language."""
    made = make(language=language, plain=True)
    chinese = [
        any("\u4e00" <= letter <= "\u9fff" for letter in search.query)
        for search in made.readable(Search)
    ]
    assert chinese
    assert {language == "zh"} == set(chinese)
    assert language != "zh" or all(
        "\u4e00" <= item.title[0] <= "\u9fff" for item in made.readable(Item)
    )


def test_the_excerpts_titles_and_prices_are_its_own() -> None:
    """The excerpt as catalogue has the items of the shipped log, with categories from titles."""
    made = make(catalogue="excerpt", changes=0, new_category=0)
    real = [decode(line) for line in excerpt_lines(2000)]
    expected = {
        (item.item_id, item.title, item.price)
        for item in [one for one in real if isinstance(one, Item)][:120]
    }
    items = made.readable(Item)
    assert expected == {(item.item_id, item.title, item.price) for item in items}
    assert all(item.category == "other" or item.category.upper() in item.title for item in items)
    assert len({item.category for item in items}) >= 4


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"users": 0}, "users must be from 1 to"),
        ({"bots": 1.5}, "bots must be from 0 to 1; got 1.5"),
        ({"late": float("nan")}, "late must be from 0 to 1; got nan"),
        ({"language": "fr"}, "language is one of en, zh; got 'fr'"),
        ({"first_day": "tomorrow"}, "first_day is a date like 2026-01-31; got 'tomorrow'"),
        ({"first_day": "1969-01-01"}, "first_day must be in 1971 or later"),
        ({"first_day": "2099-01-01", "days": 400}, "the shop must close before December 2099"),
        ({"catalogue": "excerpt", "language": "zh"}, "the excerpt's titles are English"),
        ({"late": 0.6, "malformed": 0.6}, "their sum is 1.23, above 1"),
        ({"items": 10, "page": 11}, "a page shows different items"),
    ],
)
def test_a_shop_that_cannot_be_is_refused(given, said) -> None:
    """A parameter out of range, or in conflict with another, is refused with its value."""
    with pytest.raises(SettingError, match=said):
        Shop(**given)


def test_the_excerpt_has_only_its_items() -> None:
    """More items than the excerpt has are refused when it is opened."""
    with pytest.raises(SettingError, match="the excerpt has 2,294 items; got items=3,000"):
        simulate(Shop(catalogue="excerpt", items=3000), BytesIO())
