"""The survey of a log: its items, its questions, and where its last part begins."""

import json
from typing import Any

from mainstem.events import Tick, decode
from mainstem.events.survey import Survey, belongs_to_items, survey

MINUTE = 60_000


def line(kind: str, minute: int = 0, **more: Any) -> bytes:
    user = {} if kind in {"item", "tick"} else {"user_id": "u"}
    return json.dumps(
        {"type": kind, "event_id": "e", "event_timestamp": minute * MINUTE, **user, **more}
    ).encode()


def item(item_id: str, **more: Any) -> bytes:
    return line("item", item_id=item_id, **{"title": f"cup {item_id}", **more})


def view(minute: int, **more: Any) -> bytes:
    return line("view", minute, item_id="a", **more)


def purchase(minute: int) -> bytes:
    return line("purchase", minute, item_id="a")


def test_items_are_told_from_the_rest() -> None:
    """Accepted items are kept in order, and every line is counted."""
    found = survey([item("a"), purchase(1), item("b"), b"{not json"])
    assert [event.item_id for event in found.items] == ["a", "b"]
    assert (4, []) == (found.lines, found.refused_items)


def test_refused_items_have_their_offset_in_items() -> None:
    """The offset of a refused item counts item lines only, as in topic `items`."""
    found = survey(
        [item("a"), purchase(1), item("b", title=7), b"[]", item("c"), line("item", item_id="d")]
    )
    assert [(offset, refusal.path) for offset, refusal in found.refused_items] == [
        (1, "$.title"),
        (3, "$"),
    ]


def test_bytes_without_a_type_do_not_belong_to_items() -> None:
    """A line belongs to `items` only if its type can be read, and else to `events`."""
    raws = [
        b"",
        b"\xff",
        b"[]",
        b'{"type":5}',
        b'{"type":"view"}',
        b"[" * 100_000,
        b'{"type":"item","query":"\xff"}',
    ]
    assert [belongs_to_items(decode(raw), raw) for raw in raws[:-1]] == [False] * 6
    assert belongs_to_items(Tick(event_timestamp=0), b"") is False
    assert belongs_to_items(decode(raws[-1]), raws[-1]) is True


def test_newest_is_the_largest_event_time_of_events() -> None:
    """The newest time is the largest of accepted events and ticks; items are left out."""
    lines = [
        purchase(3),
        line("tick", 5),
        purchase(1),
        line("item", 9, item_id="a", title="cup"),
        line("view", 9),
    ]
    assert 5 * MINUTE == survey(lines).newest
    assert survey([item("a")]).newest == -1


def test_purchases_ask_where_nothing_was_shown() -> None:
    """Purchases are the questions of a log only if it has no impression and no view."""
    assert survey([purchase(1), line("return", 2, item_id="a")]).questions == "purchases"
    assert survey([purchase(1), view(2)]).questions == "shown"
    shown = line("impression", impression_id="m", items=[{"item_id": "a"}])
    assert survey([shown]).questions == "shown"


def test_texts_are_distinct_titles_and_queries() -> None:
    """The texts of a vocabulary are the distinct titles, categories, brands and queries."""
    shown = line("impression", impression_id="m", items=[{"item_id": "a"}], query="tea cup")
    searches = [line("search", query=query) for query in ("mug", "mug", "")]
    found = survey([item("a", brand="Acme", category="cups"), item("a"), shown, *searches])
    assert found.texts == {"cup a", "Acme", "cups", "tea cup", "mug"}


def test_the_later_part_holds_at_most_its_share_of_questions() -> None:
    """The last part begins at the first whole minute that leaves at most the share of questions."""
    found = survey([purchase(minute) for minute in (0, 1, 2, 3, 4, 5, 6, 7, 8, 8)])
    begins = {share: found.later_from("purchases", share) for share in (0, 0.1, 0.2, 0.35, 1)}
    assert begins == {
        0: 8 * MINUTE + 1,
        0.1: 8 * MINUTE + 1,
        0.2: 8 * MINUTE,
        0.35: 7 * MINUTE,
        1: 0,
    }


def test_the_later_part_counts_what_asks() -> None:
    """Only questions count: no purchases where there are views, and no views from impressions."""
    found = survey([view(0), view(1), *[purchase(2)] * 8, *[view(3, impression_id="m")] * 8])
    assert 1 * MINUTE == found.later_from("shown", 0.5)
    assert 2 * MINUTE == found.later_from("purchases", 1)


def test_an_empty_log_has_no_later_part() -> None:
    """Without questions the last part begins after the end."""
    assert (0, -1, 0) == (Survey().lines, Survey().newest, Survey().later_from("shown", 0.2))
