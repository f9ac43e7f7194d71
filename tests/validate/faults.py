"""Faults, planted one at a time in the faultless log of a small shop."""

import random
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from tests.validate.shelf import (
    BEGIN,
    DAY,
    HOUR,
    MINUTE,
    NOW,
    Log,
    event,
    in_time,
    shop_log,
)

CLEAN = shop_log()


def changed(change: Callable[[dict[str, Any]], object], log: Log = CLEAN) -> Log:
    """Return a copy of the log with a change made to each of its events."""
    copy = deepcopy(log)
    for one in copy:
        change(one)
    return copy


def of_kind(kind: str, every: int = 1) -> Callable[[dict[str, Any]], bool]:
    """Return a predicate for events of a kind, or for every `every`-th of them."""
    seen = iter(range(10**9))
    return lambda one: one["type"] == kind and next(seen) % every == 0


def missing_fields() -> Log:
    """Leave the user out of searches."""
    return changed(lambda one: one["type"] == "search" and one.pop("user_id"))


def wrong_types() -> Log:
    """Make the query of each search a number."""
    return changed(lambda one: one["type"] == "search" and one.update(query=7))


def future_dates() -> Log:
    """Add three searches a year after now."""
    late = [event("search", f"late-{n}", NOW + 365 * DAY, user_id="u", query="q") for n in range(3)]
    return CLEAN[:600] + late + CLEAN[600:]


def seconds() -> Log:
    """Write the times of searches in seconds."""
    return changed(
        lambda one: (
            one["type"] == "search" and one.update(event_timestamp=one["event_timestamp"] // 1000)
        )
    )


def lost_days() -> Log:
    """Leave two of the ten days out."""
    return [one for one in CLEAN if (one["event_timestamp"] - BEGIN) // DAY not in {3, 5}]


def strangers() -> Log:
    """Give a third of the clicks, and what follows them, the user id of another system."""
    return changed(
        lambda one: (
            one["type"] in {"click", "purchase", "return"}
            and int(one["session_id"][8:]) % 3 == 0
            and one.update(user_id="app-" + one["user_id"])
        )
    )


def unknown_item() -> Log:
    """Leave one item out of the catalogue."""
    return [one for one in CLEAN if one["event_id"] != "item-cups-4"]


def no_catalogue() -> Log:
    """Leave every item out."""
    return [one for one in CLEAN if one["type"] != "item"]


def late_items() -> Log:
    """Date the items five days in, at the time of an export."""
    return changed(
        lambda one: one["type"] == "item" and one.update(event_timestamp=BEGIN + 5 * DAY)
    )


def positions_from(places: Callable[[int], int | None]) -> Log:
    """Replace each position by a function of it."""

    def renumber(one: dict[str, Any]) -> None:
        for place, item in enumerate(one.get("items", ()), start=1):
            item["position"] = places(place)

    return changed(renumber)


def no_answers() -> Log:
    """Keep questions only."""
    return [one for one in CLEAN if one["type"] in {"item", "search", "impression"}]


def clicked_only() -> Log:
    """Show on each page only the items that were clicked."""
    clicked = {(one["impression_id"], one["item_id"]) for one in CLEAN if one["type"] == "click"}

    def keep(one: dict[str, Any]) -> None:
        if one["type"] == "impression":
            kept = [
                item["item_id"]
                for item in one["items"]
                if (one["impression_id"], item["item_id"]) in clicked
            ]
            one["items"] = [
                {"item_id": item, "position": place} for place, item in enumerate(kept, start=1)
            ]

    return [one for one in changed(keep) if one.get("items") != []]


def bot() -> Log:
    """Add a user who searches every half second for five minutes."""
    begin = BEGIN + 2 * DAY + 9 * HOUR
    searches = [
        event("search", f"bot-{n}", begin + n * 500, user_id="bot", query="q") for n in range(600)
    ]
    return in_time(CLEAN + searches)


def clicked_away() -> Log:
    """Click everything in one category on one day."""
    begin = BEGIN + 6 * DAY
    pages = [
        one
        for one in CLEAN
        if one["type"] == "impression" and begin <= one["event_timestamp"] < begin + DAY
    ]
    clicks = [
        event(
            "click",
            f"jump-{page['event_id']}-{item['item_id']}",
            page["event_timestamp"] + MINUTE,
            **{name: page[name] for name in ("user_id", "impression_id")},
            item_id=item["item_id"],
        )
        for page in pages
        for item in page["items"]
        if item["item_id"].startswith("pots")
    ]
    return in_time(CLEAN + clicks)


def numbered_daily() -> Log:
    """Restart the ids of searches every day."""
    days: dict[int, int] = {}

    def number(one: dict[str, Any]) -> None:
        if one["type"] == "search":
            day = one["event_timestamp"] // DAY
            days[day] = days.get(day, 0) + 1
            one["event_id"] = str(days[day])

    return changed(number)


def shifted(kind: str, by: int, *, sort: bool) -> Log:
    """Shift the times of one kind of event."""
    log = changed(
        lambda one: one["type"] == kind and one.update(event_timestamp=one["event_timestamp"] + by)
    )
    return in_time(log) if sort else log


def delayed() -> Log:
    """Deliver every tenth search between half an hour and an hour late."""
    draws, late = random.Random(1), of_kind("search", every=10)
    arrivals = [
        (one["event_timestamp"] + (draws.randrange(30, 60) * MINUTE if late(one) else 0), one)
        for one in CLEAN
    ]
    return [one for _, one in sorted(arrivals, key=lambda pair: pair[0])]


def copied() -> Log:
    """Repeat thirty searches after two days."""
    copies = [one for one in CLEAN if one["type"] == "search"][:30]
    arrivals = [(one["event_timestamp"], one) for one in CLEAN]
    arrivals += [(one["event_timestamp"] + 2 * DAY, one) for one in copies]
    return [one for _, one in sorted(arrivals, key=lambda pair: pair[0])]


def bought_only() -> Log:
    """Keep purchases and items only."""
    return [one for one in CLEAN if one["type"] in {"item", "purchase"}]
