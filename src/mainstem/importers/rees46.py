"""Importer for REES46's multi-category store: views, carts, purchases, and items when they change.

The source has no titles: an item's title consists of its category path and brand, so its text says
little. Ids of events are made from their content, so the joiner counts a repeated row, of which the
source has some, as `duplicate`.

Source:
    M. Kechinov, eCommerce behavior data from multi category store, REES46,
    https://rees46.com/en/datasets.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final

from mainstem.events.vocabulary import Cart, Item, Purchase, View
from mainstem.importers.making import Shelf, named, row_by_row
from mainstem.importers.names import name_of, nothing_said, text_of, worded
from mainstem.importers.tables import Row
from mainstem.importers.values import number_of, time_reader

__all__ = ["COLUMNS", "events_of"]

COLUMNS: Final = (
    "event_time",
    "event_type",
    "product_id",
    "category_code",
    "brand",
    "price",
    "user_id",
    "user_session",
)


def events_of(
    rows: Iterable[Row], left_out: Counter[str]
) -> Iterator[Item | View | Cart | Purchase]:
    """Turn the rows of the source, in their order, into events.

    Args:
        rows: one mapping per row, with the source's own column names (`COLUMNS`).
        left_out: counts, by reason, the rows that became no event of a shopper. Among them are rows
            of the type `remove_from_cart`, which another shop of REES46 has: no kind of event fits.

    Raises:
        ImportSourceError: if a row's time or price cannot be read.

    Example:
        >>> row = dict(event_time="2019-10-01 00:00:00 UTC", event_type="view",
        ...            product_id="1307067", category_code="computers.notebook", brand="lenovo",
        ...            price="251.74", user_id="550050854", user_session="7c90fc70")
        >>> item, view = events_of([row], Counter())
        >>> item.title, item.category, item.price, type(view).__name__
        ('computers notebook lenovo', 'computers.notebook', 251.74, 'View')
    """
    shelf, millis = Shelf(), time_reader()

    def of_row(row: Row) -> Iterator[Item | View | Cart | Purchase]:
        kind = text_of(row["event_type"])
        user, item_id = name_of(row["user_id"]), name_of(row["product_id"])
        if kind not in {"view", "cart", "purchase"}:
            left_out[f"event type {kind!r}"] += 1
            return
        if not user:
            left_out[f"no user{nothing_said(row['user_id'])}"] += 1
            return
        if not item_id:
            left_out[f"no item{nothing_said(row['product_id'])}"] += 1
            return
        time, price = millis(row["event_time"]), number_of(row["price"], "price")
        category, brand = worded(text_of(row["category_code"])), worded(text_of(row["brand"]))
        session = name_of(row["user_session"]) or None
        title = _title(item_id, category, brand)
        yield from shelf.seen(time, item_id, title, category=category, brand=brand, price=price)
        common: dict[str, Any] = {
            "event_id": "",
            "event_timestamp": time,
            "user_id": user,
            "session_id": session,
        }
        match kind:
            case "view":
                yield named(View(**common, item_id=item_id))
            case "cart":
                yield named(Cart(**common, item_id=item_id))
            case _:
                yield named(Purchase(**common, item_id=item_id, price=price))

    return row_by_row(rows, of_row, left_out)


def _title(item_id: str, category: str, brand: str) -> str:
    words = " ".join([*category.replace("_", " ").split("."), brand]).strip()
    return words or f"item {item_id}"
