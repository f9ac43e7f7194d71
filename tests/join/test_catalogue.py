"""The catalogue has the text of an item at any time, and draws fairly from known items."""

from collections import Counter
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from mainstem.events import Item
from mainstem.join import Catalogue
from tests.join.shop import NAMES, shelf

told = st.builds(
    Item,
    event_id=st.sampled_from(["e1", "e2", "e3"]),
    event_timestamp=st.integers(0, 5),
    item_id=st.sampled_from(["cup", "mug", "pot"]),
    title=st.just(""),
).map(
    lambda item: Item(
        **_fields(item) | {"title": f"{item.item_id} by {item.event_id} at {item.event_timestamp}"}
    )
)


def _fields(item: Item) -> dict[str, object]:
    return {
        "event_id": item.event_id,
        "event_timestamp": item.event_timestamp,
        "item_id": item.item_id,
    }


def item(event_id: str, time: int, title: str, item_id: str = "cup") -> Item:
    return Item(event_id=event_id, event_timestamp=time, item_id=item_id, title=title)


def catalogue_of(*items: Item) -> Catalogue:
    catalogue = Catalogue()
    for told_item in items:
        catalogue.add(told_item)
    return catalogue


def title(catalogue: Catalogue, time: int) -> str | None:
    found = catalogue.as_of("cup", time)
    return found.title if found else None


def test_a_text_holds_from_its_own_time_on() -> None:
    """An item is unknown before its first event, and each later event replaces its text."""
    for items in permutations(
        [item("a", 10, "first"), item("b", 20, "second"), item("c", 30, "third")]
    ):
        told_times = {time: title(catalogue_of(*items), time) for time in (9, 10, 19, 20, 30, 99)}
        assert told_times == {
            9: None,
            10: "first",
            19: "first",
            20: "second",
            30: "third",
            99: "third",
        }


def test_of_two_texts_at_one_time_the_later_id_holds() -> None:
    """Of two events at the same time the one with the later id wins, in any order of arrival."""
    both = [item("a", 10, "first"), item("b", 10, "second")]
    assert ["second"] * 2 == [title(catalogue_of(*items), 10) for items in permutations(both)]


def test_an_unknown_item_is_none() -> None:
    """An item without any event has no text at any time."""
    assert shelf("mug").as_of("cup", 99) is None


def test_a_catalogue_is_as_long_as_its_items_are_many() -> None:
    """The length of a catalogue counts items and not their versions."""
    assert 2 == len(
        catalogue_of(item("a", 10, "cup"), item("b", 20, "red cup"), item("c", 20, "mug", "mug"))
    )


@settings(deadline=None)
@given(st.lists(told, max_size=12), st.randoms(use_true_random=False))
def test_the_order_of_telling_does_not_matter(items: list[Item], chance) -> None:
    """Item events in any order, repeated or not, give the same texts and draws at any time."""
    again = [*items, *items]
    chance.shuffle(again)
    first, second = catalogue_of(*items), catalogue_of(*again)
    for time in range(-1, 7):
        for name in ("cup", "mug", "pot"):
            assert first.as_of(name, time) == second.as_of(name, time)
            assert first.draw(0, "q", name, time, 2) == second.draw(0, "q", name, time, 2)


def test_an_earlier_version_moves_an_items_first_time() -> None:
    """An earlier version that arrives later lets the item be drawn from that time on."""
    catalogue = shelf("cup", time=0)
    for event in (
        item("b", 50, "mug", "mug"),
        item("a", 10, "mug", "mug"),
        item("c", 30, "mug", "mug"),
    ):
        catalogue.add(event)
    assert [catalogue.draw(0, "q", "cup", time, 5) for time in (9, 10, 50)] == [
        [],
        [("mug", 1.0)],
        [("mug", 1.0)],
    ]


@pytest.mark.parametrize(
    ("asked", "count", "probability"),
    [("cup", 1, 1 / 4), ("cup", 3, 3 / 4), ("cup", 9, 1.0), ("elf", 1, 1 / 5)],
)
def test_a_draw_is_distinct_and_never_the_item_itself(
    asked: str, count: int, probability: float
) -> None:
    """Draws are distinct other items, with the probability of being drawn."""
    others = set(NAMES) - {asked}
    for number in range(100):
        drawn = shelf().draw(0, f"q{number}", asked, 0, count)
        names = [name for name, _ in drawn]
        assert min(count, len(others)) == len(names) == len(set(names) & others)
        assert {probability} == {chance for _, chance in drawn}


@pytest.mark.parametrize("count", [0, 1])
def test_nothing_is_drawn_from_nothing(count: int) -> None:
    """No draw is made where none is asked for or no other item is known."""
    assert [] == Catalogue().draw(0, "q", "cup", 99, count)
    assert [] == shelf("cup").draw(0, "q", "cup", 99, count)
    assert [] == shelf(time=100).draw(0, "q", "cup", 99, count)
    assert [] == shelf().draw(0, "q", "cup", 99, 0)


@pytest.mark.parametrize("count", [1, 2])
def test_draws_are_uniform(count: int) -> None:
    """Over many questions each other item is drawn equally often by SciPy's chi-square test."""
    catalogue = shelf()
    drawn = Counter(
        name
        for number in range(3000)
        for name, _ in catalogue.draw(7, f"q{number}", "cup", 0, count)
    )
    assert 3000 * count == drawn.total()
    assert chisquare(list(drawn.values())).pvalue > 0.001
