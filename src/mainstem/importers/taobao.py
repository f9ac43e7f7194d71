"""Importer for Taobao's UserBehavior: page views, carts and purchases, to the second.

The source has only numbers for items and categories. An item's title is its number, so a model can
learn which items and categories go together, but not what they are. The published file is in the
order of its users; sort it by its fifth column first (`sort -t, -k5,5n`), because a replay needs
the order of time.

Source:
    User Behavior Data from Taobao for Recommendation, Alibaba Tianchi,
    https://tianchi.aliyun.com/dataset/649.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final

from mainstem.events.vocabulary import Cart, Click, Item, Purchase, View
from mainstem.importers.making import Shelf, named, row_by_row
from mainstem.importers.names import name_of, nothing_said, text_of
from mainstem.importers.tables import Row
from mainstem.importers.values import time_reader

__all__ = ["COLUMNS", "events_of"]

COLUMNS: Final = ("user_id", "item_id", "category_id", "behavior", "ts")
"""The columns in the order of the published file, which has no header."""


def events_of(
    rows: Iterable[Row], left_out: Counter[str], *, favourites: type[Cart | Click] | None = None
) -> Iterator[Item | View | Click | Cart | Purchase]:
    """Turn the rows of the source, in their order, into events.

    Args:
        rows: one mapping per row, with the columns `COLUMNS`.
        left_out: counts, by reason, the rows that became no event of a shopper.
        favourites: kind of event that stands for `fav`, for which there is no proper kind; None to
            leave these rows out.

    Raises:
        ImportSourceError: if a row's behaviour or time cannot be read.

    Example:
        >>> row = {"user_id": 543462, "item_id": 1715, "category_id": 1464116, "behavior": "pv",
        ...        "ts": 1511658000}
        >>> item, view = events_of([row], Counter())
        >>> item.title, item.category, type(view).__name__, view.event_timestamp
        ('item 1715', 'category 1464116', 'View', 1511658000000)
    """
    shelf, millis = Shelf(), time_reader("s")
    kinds = {"pv": View, "cart": Cart, "buy": Purchase, "fav": favourites}

    def of_row(row: Row) -> Iterator[Item | View | Click | Cart | Purchase]:
        behaviour = text_of(row["behavior"])
        if behaviour not in kinds:
            msg = f"behaviour {behaviour!r} is none of {', '.join(kinds)}"
            raise ValueError(msg)
        kind = kinds[behaviour]
        if kind is None:
            left_out["favourite"] += 1
            return
        user, item_id, category = (
            name_of(row[name]) for name in ("user_id", "item_id", "category_id")
        )
        if not user or not item_id:
            name, cell = ("item", row["item_id"]) if user else ("user", row["user_id"])
            left_out[f"no {name}{nothing_said(cell)}"] += 1
            return
        time = millis(row["ts"])
        named_category = f"category {category}" if category else ""
        yield from shelf.seen(time, item_id, f"item {item_id}", category=named_category)
        common: dict[str, Any] = {"event_id": "", "event_timestamp": time, "user_id": user}
        yield named(kind(**common, item_id=item_id))

    return row_by_row(rows, of_row, left_out)
