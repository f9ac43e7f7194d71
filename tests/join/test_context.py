"""A sample has the history, query and texts of its shopper and item at the question's time."""

from mainstem.events import Item, Tick
from mainstem.join import Catalogue, Sample
from tests.join.shop import (
    cart,
    click,
    impression,
    join,
    joiner,
    purchase,
    return_,
    search,
    shelf,
    step,
    view,
)


def last(*events, **more) -> Sample:
    return join(*events, **more).samples[-1]


def test_history_is_newest_first_and_strictly_earlier() -> None:
    """A history is newest first and has nothing from the question's own time or later."""
    log = [
        view("a", 100, "mug"),
        view("b", 200, "pot"),
        view("c", 300, "jug"),
        impression("q", 300, "cup"),
        view("d", 310),
    ]
    asked = next(sample for sample in join(*log).samples if sample.source == "impression")
    assert ("pot", "mug") == asked.history
    assert asked.context_text == "pot ; mug"


def test_history_holds_distinct_items_up_to_its_length() -> None:
    """An item touched again moves to the front; the oldest beyond `history_length` are dropped."""
    touched = ["cup", "mug", "pot", "cup", "jug"]
    log = [view(f"v{number}", 100 + number, item) for number, item in enumerate(touched)]
    assert ("jug", "cup", "pot") == last(*log, view("q", 300, "tin")).history
    assert ("jug",) == last(*log, view("q", 300, "tin"), history_length=1).history
    assert () == last(*log, view("q", 300, "tin"), history_length=0).history


def test_history_is_made_of_views_clicks_carts_and_purchases() -> None:
    """Items that were only shown, searched for or returned are not in the history."""
    touched = [
        view("v", 110, "mug"),
        click("c", 120, "pot"),
        cart("a", 130, "jug"),
        purchase("p", 140, "tin"),
    ]
    others = [impression("i", 100, "cup"), return_("r", 150, "cup"), search("s", 160, "cup")]
    assert ("tin", "jug", "pot", "mug") == last(
        *touched, *others, view("q", 300), history_length=4
    ).history


def test_history_reads_a_bounded_number_of_touches() -> None:
    """Only the latest four times `history_length` touches count, so older ones can be forgotten."""
    repeats = [click(f"c{number:02}", 110 + number) for number in range(12)]
    assert ("cup", "mug") == last(click("a", 100, "mug"), *repeats[1:], view("q", 200)).history
    assert ("cup",) == last(click("a", 100, "mug"), *repeats, view("q", 200)).history


def test_a_busy_shopper_costs_no_history() -> None:
    """Forgetting the touches of a busy shopper changes no history, not even of an open question."""
    busy = [
        click(f"c{number:02}", 200 + number, ("mug", "pot", "jug", "tin")[number % 4])
        for number in range(26)
    ]
    early = [click("a", 100, "pot"), click("b", 110, "mug")]
    joined = join(*early, view("open", 190), *busy, view("after", 250))
    assert [sample.history for sample in joined.samples] == [("mug", "pot"), ("pot", "mug", "tin")]


def test_history_reaches_back_as_far_as_its_window() -> None:
    """A touch exactly `history_window` before the question is included, and an older one is not."""
    log = [view("a", 99, "mug"), view("b", 100, "pot"), view("q", 200)]
    assert ("pot",) == last(*log, history_window=100).history


def test_histories_of_shoppers_are_apart() -> None:
    """A history has only what its own shopper did."""
    assert () == last(view("a", 100, "mug", user_id="bob"), view("q", 200)).history


def test_history_may_arrive_after_the_question() -> None:
    """A touch that arrives after the question but is earlier in event time is in the history."""
    assert ("mug",) == last(view("q", 200), view("a", 195, "mug")).history


def test_an_impression_keeps_its_own_query() -> None:
    """A query on the impression is not replaced by a search."""
    asked = last(
        search("s", 100, "tea", session_id="x"),
        impression("q", 110, "cup", query="mug", session_id="x"),
    )
    assert ("mug", "mug") == (asked.query, asked.context_text)


def test_a_question_takes_the_newest_search_of_its_session() -> None:
    """A question has the newest query of its session up to its own time."""
    log = [
        search("a", 100, "tea", session_id="x"),
        search("b", 110, "red cup", session_id="x"),
        search("c", 115, "pot", session_id="y"),
        view("h", 118, "mug"),
        impression("q", 120, "cup", session_id="x"),
        search("d", 121, "too late", session_id="x"),
    ]
    assert ("red cup", "red cup ; mug") == (last(*log).query, last(*log).context_text)
    at_once = search("a", 120, "tea", session_id="x")
    assert last(at_once, view("q", 120, session_id="x")).query == "tea"
    assert last(at_once, view("q", 120)).query == ""


def test_a_search_counts_as_long_as_the_label_window() -> None:
    """A search exactly a label window old still gives its query, and an older one does not."""
    queries = [last(search("s", time, "tea"), view("q", 200)).query for time in (100, 99)]
    assert queries == ["tea", ""]


def test_a_search_outlives_a_short_history_window() -> None:
    """Forgetting idle shoppers loses no query, even if the history window is shorter."""
    partition = joiner(history_window=5)
    step(partition, search("s", 100, "tea"), *[Tick(event_timestamp=150)] * 1500, view("q", 180))
    _, outputs = partition.closed(1000)
    assert ["tea"] == [output.query for output in outputs if isinstance(output, Sample)]


def test_a_view_from_an_impression_is_context() -> None:
    """A view from an impression is neither question nor outcome, but is in later histories."""
    joined = join(
        impression("i", 100, "mug"), view("v", 110, "mug", impression_id="i"), view("q", 200)
    )
    assert [(sample.source, sample.history) for sample in joined.samples] == [
        ("impression", ()),
        ("view", ("mug",)),
    ]
    assert joined.counts == {"question": 2, "context": 1, "expired": 2}


def test_an_unknown_item_gives_no_sample_and_is_counted() -> None:
    """An item unknown at the question's time gives no sample and is counted."""
    catalogue = shelf("cup")
    catalogue.add(Item(event_id="i", event_timestamp=101, item_id="mug", title="mug"))
    joined = join(
        impression("q", 100, "cup", "mug", "elf"), click("c", 250, "elf"), catalogue=catalogue
    )
    assert ["cup"] == [sample.item_id for sample in joined.samples]
    assert joined.counts == {
        "question": 1,
        "expired": 1,
        "outcome": 1,
        "revised": 1,
        "unknown_item": 3,
    }


def test_texts_are_as_of_the_question() -> None:
    """Item and history have their texts of the question's time, in revisions too."""
    catalogue = Catalogue()
    for time, title, price in ((0, "old cup", 2.5), (150, "new cup", 20.0)):
        item = {
            "item_id": "cup",
            "title": title,
            "price": price,
            "category": "cups",
            "brand": "Acme",
        }
        catalogue.add(Item(event_id=f"i{time}", event_timestamp=time, **item))
    joined = join(
        view("a", 100), view("q", 149), view("z", 150), click("c", 400), catalogue=catalogue
    )
    texts = [
        (sample.label_version, sample.context_text, sample.item_text) for sample in joined.samples
    ]
    old, new = "old cup | cups | Acme | price 2 to 5", "new cup | cups | Acme | price 20 to 50"
    assert texts == [(0, "", old), (0, "old cup", old), (0, "new cup", new), (1, "new cup", new)]
    assert ("cups", "Acme", "20 to 50") == (
        joined.samples[-1].category,
        joined.samples[-1].brand,
        joined.samples[-1].price_band,
    )


def test_history_leaves_unknown_items_out_of_the_text() -> None:
    """A touched item that the catalogue does not know is in the history but not in the text."""
    asked = last(view("a", 100, "elf"), view("b", 110, "mug"), view("q", 200))
    assert (("mug", "elf"), "mug") == (asked.history, asked.context_text)
