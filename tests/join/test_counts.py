"""What joiners count in an hour, worked out by hand, and when they close it."""

from collections.abc import Iterable

import msgspec

from mainstem.behaviour import HOUR, Count, Hour, query_key
from mainstem.events import Event, Item, Labelled, Tick
from mainstem.join import Catalogue, Joiner, Sample, closing_time
from tests.join.shop import (
    KEY,
    cart,
    click,
    impression,
    joiner,
    purchase,
    return_,
    search,
    short,
    step,
    view,
)

GRACE = 10
TEA = query_key("tea")
NO_SUMS = Count("", "", "", 0, 0, 0, 0, 0, 0, 0)
LONG = {"history_window": 90 * 24 * HOUR, "label_window": HOUR, "revision_window": 24 * HOUR}


def hours(*events: Event, **more: object) -> list[Hour]:
    """Join events and a tick that closes the hour of the last one; give the hours."""
    newest = max(event.event_timestamp for event in events)
    end = Tick(event_timestamp=(newest // HOUR + 1) * HOUR + GRACE)
    return closed(step(joiner(**more), *events, end))


def closed(outputs: Iterable[object]) -> list[Hour]:
    """Give the hours among outputs."""
    return [output for output in outputs if isinstance(output, Hour)]


def rows(found: Iterable[Hour], kind: str) -> set[Count]:
    """Give all counts of a kind."""
    return {count for hour in found for count in hour.counts if count.kind == kind}


def count(kind: str, key: str, other: str = "", position: int = 0, **sums: int) -> Count:
    """Make a count whose other numbers are 0."""
    place = {"kind": kind, "key": key, "other": other, "position": position}
    return msgspec.structs.replace(NO_SUMS, **place, **sums)


def test_a_click_counts_at_the_position_that_showed_the_item() -> None:
    """An impression shows each item at its position, and a click counts at that position."""
    found = hours(impression("q", 1000, "cup", "mug", "pot", query="Tea "), click("c", 1050, "pot"))
    assert {
        count("item", "cup", position=1, shown=1),
        count("item", "mug", position=2, shown=1),
        count("item", "pot", position=3, shown=1, clicked=1),
    } == rows(found, "item")
    assert {
        count("query_item", TEA, "cup", 1, shown=1),
        count("query_item", TEA, "mug", 2, shown=1),
        count("query_item", TEA, "pot", 3, shown=1, clicked=1),
    } == rows(found, "query_item")
    assert {count("query", TEA, shown=3, clicked=1, shoppers=1)} == rows(found, "query")
    assert {
        count("category", "", position=1, shown=1),
        count("category", "", position=2, shown=1),
        count("category", "", position=3, shown=1, clicked=1),
    } == rows(found, "category")
    assert set() == rows(found, "pair")


def test_outcomes_count_in_their_own_hour() -> None:
    """A purchase and a return count when they happen, at the position of their question."""
    windows = {"label_window": HOUR, "revision_window": 9 * HOUR}
    found = hours(
        impression("q", HOUR - 1, "cup", "mug"),
        purchase("p", HOUR, "mug"),
        return_("r", 3 * HOUR, "mug"),
        **windows,
    )
    by_hour = {hour.first: hour.counts for hour in found}
    assert [(0, 0), (1, 1), (2, 2), (3, 3)] == [(hour.first, hour.hour) for hour in found]
    assert count("item", "mug", position=2, purchased=1) in by_hour[1]
    assert count("item", "mug", position=2, returned=1) in by_hour[3]
    assert count("category", "", position=2, returned=1) in by_hour[3]


def test_an_orphaned_outcome_counts_without_a_position() -> None:
    """A click that answers no question counts for its item, at position 0."""
    assert {count("item", "mug", clicked=1)} == rows(hours(click("c", 1, "mug")), "item")


def test_a_view_shows_its_item_unless_it_names_an_impression() -> None:
    """A view is a question, at no position; a view that names an impression counts for nothing."""
    found = hours(view("v", 1, "cup"), view("w", 2, "mug", impression_id="q"))
    assert {count("item", "cup", shown=1)} == rows(found, "item")


def test_a_purchase_is_paired_with_what_was_touched_before() -> None:
    """A purchase pairs with the last different items that its shopper touched, itself left out."""
    found = hours(
        *(view(f"v{place}", 10 + place, item) for place, item in enumerate(("tin", "mug", "pot"))),
        view("w", 20, "jug"),
        view("x", 21, "mug"),
        view("o", 22, "tin", user_id="bob"),
        purchase("p", 23, "mug"),
    )
    # the last three are mug, jug and pot
    assert {
        count("pair", "jug", "mug", purchased=1),
        count("pair", "mug", "pot", purchased=1),
    } == rows(found, "pair")


def test_what_was_touched_at_the_same_time_makes_no_pair() -> None:
    """Only items touched strictly before an outcome are paired with it; cart and click pair too."""
    found = hours(view("v", 10, "pot"), click("b", 11, "tin"), cart("a", 11, "mug"))
    assert {
        count("pair", "pot", "tin", clicked=1),
        count("pair", "mug", "pot", carted=1),
    } == rows(found, "pair")


def test_purchases_that_ask_count_and_pair() -> None:
    """Where purchases are questions they count as purchases, and only they make pairs."""
    found = hours(
        search("s", 9, "tea"),
        purchase("p", 10, "mug"),
        click("c", 20, "pot"),
        purchase("r", 30, "mug"),
        return_("b", 40, "mug"),
        questions="purchases",
    )
    assert {
        count("item", "mug", purchased=2, returned=1),
        count("item", "pot", clicked=1),
    } == rows(found, "item")
    assert {count("pair", "mug", "pot", purchased=1)} == rows(found, "pair")
    assert {count("query", TEA, purchased=2, returned=1, shoppers=1)} == rows(found, "query")


def test_shoppers_of_a_query_are_counted_once_a_day() -> None:
    """A shopper counts for a query in the hour in which they first ask it on a UTC day."""
    found = hours(
        search("a", 22 * HOUR + GRACE, "tea"),
        search("b", 22 * HOUR + GRACE, "TEA", user_id="bob"),
        impression("c", 23 * HOUR, "cup", query="tea"),
        search("d", 23 * HOUR + 1, "tea", user_id="cy"),
        search("e", 24 * HOUR, "tea"),
        **LONG,
    )
    assert {22: 2, 23: 1, 24: 1} == {
        hour.first: sum(one.shoppers for one in hour.counts if one.kind == "query")
        for hour in found
    }


def test_a_search_gives_its_query_to_a_question_at_the_same_time() -> None:
    """In a log of whole seconds an impression has the query of a search at the same time."""
    found = hours(search("z", 5000, "tea"), impression("a", 5000, "cup"))
    assert {count("query", TEA, shown=1, shoppers=1)} == rows(found, "query")


def test_categories_are_those_of_the_hour_s_end() -> None:
    """An item counts for the category that it had at the end of the hour."""
    catalogue = Catalogue()
    for time, category in ((0, "old"), (HOUR - 1, "new"), (HOUR, "later")):
        told = {"event_id": f"i{time}", "event_timestamp": time, "item_id": "cup"}
        catalogue.add(Item(title="cup", category=category, **told))
    found = hours(view("v", 5), catalogue=catalogue)
    assert {count("category", "new", shown=1)} == rows(found, "category")


def test_an_event_of_a_closed_hour_is_uncounted() -> None:
    """A late event of the open hour counts; one of a closed hour is uncounted, and balances."""
    partition = joiner(**LONG)
    found = closed(
        step(
            partition,
            view("a", 2 * HOUR),
            view("b", 3 * HOUR + GRACE),
            view("late", 3 * HOUR - 1, "mug"),
            view("copy", 3 * HOUR - 1, "mug"),
            view("copy", 3 * HOUR - 1, "mug"),
            Tick(event_timestamp=4 * HOUR + GRACE),
        )
    )
    assert [(1, 0), (2, 0), (3, 2)] == [(hour.first, hour.uncounted) for hour in found]
    assert {count("item", "cup", shown=1)} == rows(found, "item")


def test_labelled_texts_count_nothing() -> None:
    """A labelled text is in no count, and not uncounted either."""
    named = {"event_id": "l", "event_timestamp": 5, "user_id": "ann", "item_id": "cup"}
    [hour] = hours(Labelled(text="fine", label="yes", **named))
    assert ([], 0) == (hour.counts, hour.uncounted)


def test_hours_follow_each_other_without_a_gap() -> None:
    """Each hour is closed once and in order; empty hours are closed with the one before."""
    partition = joiner()
    found = closed(
        step(
            partition,
            view("a", 5 * HOUR + 100),
            view("b", 9 * HOUR),
            Tick(event_timestamp=10 * HOUR + GRACE - 1),
        )
    )
    assert [(5, 7), (8, 8)] == [(hour.first, hour.hour) for hour in found]
    assert 9 == partition.open_hour
    assert [(9, 9)] == [
        (hour.first, hour.hour) for hour in closed(partition.tick(10 * HOUR + GRACE))
    ]
    assert [] == list(partition.tick(9 * HOUR))


def test_a_final_tick_closes_provisional_hours() -> None:
    """The final tick closes even the last hour, as provisional, and only in the copy."""
    partition = joiner()
    step(partition, view("a", 5 * HOUR + 100))
    last, outputs = partition.closed(closing_time(5 * HOUR + 100, short().join))
    assert [(5, 5, True)] == [(one.first, one.hour, one.provisional) for one in closed(outputs)]
    assert (5, 6) == (partition.open_hour, last.open_hour)


def test_a_snapshot_holds_the_open_hour() -> None:
    """A joiner that goes on from a snapshot closes the same hours with the same bytes."""
    events = [
        search("s", 1, "tea"),
        impression("q", 2, "mug", "cup"),
        click("c", 3, "cup"),
        search("t", 4, "tea", user_id="bob"),
        purchase("p", HOUR + GRACE, "cup"),
    ]
    end = Tick(event_timestamp=2 * HOUR + GRACE)
    whole = closed(step(joiner(), *events, end))
    for cut in range(1, len(events)):
        partition, rest = joiner(), Joiner(0, short(), joiner()._catalogue, KEY)
        found = closed(step(partition, *events[:cut]))
        rest.restore(partition.snapshot())
        found += closed(step(rest, *events[cut:], end))
        assert repr(whole) == repr(found)


def test_a_sample_tells_what_its_shopper_did_with_the_item_before() -> None:
    """Touches and purchases strictly before the question count, within the window."""
    [first, *_, last] = [
        sample
        for sample in step(
            joiner(**LONG),
            view("a", HOUR, "cup"),
            purchase("b", HOUR + 5, "cup"),
            view("c", 3 * HOUR, "cup"),
            view("d", 3 * HOUR, "cup"),
            Tick(event_timestamp=9 * HOUR),
        )
        if isinstance(sample, Sample)
    ]
    assert (0, 0, -1) == (first.own_touches, first.own_purchases, first.own_last)
    assert (2, 1, 2 * HOUR - 5) == (last.own_touches, last.own_purchases, last.own_last)


def test_a_sample_tells_prices_and_the_age_of_its_item() -> None:
    """Price and age are as of the question; items without a price leave the mean of the history."""
    catalogue = Catalogue()
    told = (("mug", 10, 2.0), ("mug", 60, 4.0), ("pot", 20, 3.0), ("tin", 30, None))
    for number, (name, time, price) in enumerate(told):
        item = Item(
            event_id=f"i{number}", event_timestamp=time, item_id=name, title=name, price=price
        )
        catalogue.add(item)
    outputs = step(
        joiner(catalogue),
        *(view(f"v{place}", 40 + place, item) for place, item in enumerate(("tin", "pot", "mug"))),
        view("q", 70, "mug"),
        Tick(event_timestamp=900),
    )
    found = [one for one in outputs if isinstance(one, Sample)]
    assert [(0.0, 0.0, 10), (3.0, 0.0, 21), (2.0, 3.0, 32), (4.0, 3.5, 60)] == [
        (one.price, one.history_price, one.item_age) for one in found
    ]
