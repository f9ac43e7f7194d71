"""The words of the shop: eight kinds of event, labelled texts, and the tick that carries time.

On the wire an event is one JSON object with a `type`. Unknown fields are ignored, so that a shop may send more than we
read; a missing or wrong field refuses the event (see `decode`). Times are milliseconds since 1970 in UTC.
"""

from typing import Annotated, TypeAlias

from msgspec import Meta, Struct

__all__ = [
    "Cart",
    "Click",
    "Event",
    "Impression",
    "Item",
    "Labelled",
    "Outcome",
    "Purchase",
    "Return",
    "Search",
    "Shown",
    "Tick",
    "View",
]

Id: TypeAlias = Annotated[str, Meta(min_length=1, max_length=256)]
Text: TypeAlias = Annotated[str, Meta(max_length=4096)]
Millis: TypeAlias = Annotated[int, Meta(ge=0, le=4_102_444_800_000)]  # up to the year 2100
Price: TypeAlias = Annotated[float, Meta(ge=0, le=1e12)]


class _Event(
    Struct, frozen=True, kw_only=True, tag_field="type", tag=str.lower, omit_defaults=True
):
    event_id: Id
    event_timestamp: Millis


class _UserEvent(_Event, frozen=True, kw_only=True):
    user_id: Id
    session_id: Id | None = None


class Search(_UserEvent, frozen=True, kw_only=True):
    """A shopper typed a query; it gives a later impression of the session its query where that has none."""

    query: Text


class Shown(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One item of an impression, at its place on the page (1 is the first); where none is told, at its place in the list."""

    item_id: Id
    position: Annotated[int, Meta(ge=1, le=2**31 - 1)] | None = None


class Impression(_UserEvent, frozen=True, kw_only=True):
    """Items were shown under a query: a question to the shopper."""

    impression_id: Id
    items: Annotated[tuple[Shown, ...], Meta(min_length=1, max_length=1000)]
    query: Text | None = None


class View(_UserEvent, frozen=True, kw_only=True):
    """A shopper opened an item's page: a question, unless it came from an impression (then only context)."""

    item_id: Id
    impression_id: Id | None = None


class Outcome(_UserEvent, frozen=True, kw_only=True):
    """What answers a question. It names its impression, or is matched to the user's latest question on the item."""

    item_id: Id
    impression_id: Id | None = None


class Click(Outcome, frozen=True, kw_only=True):
    """The shopper clicked an item that was shown."""


class Cart(Outcome, frozen=True, kw_only=True):
    """The shopper put the item into the cart."""


class Purchase(Outcome, frozen=True, kw_only=True):
    """The shopper bought the item. In a log without impressions and views it is itself a question, answered yes."""

    quantity: Annotated[float, Meta(gt=0)] | None = None
    price: Price | None = None


class Return(Outcome, frozen=True, kw_only=True):
    """The shopper sent the item back: the answer becomes no."""

    quantity: Annotated[float, Meta(gt=0)] | None = None


class Item(_Event, frozen=True, kw_only=True):
    """The catalogue learns of an item, or of its new text, from `event_timestamp` on."""

    item_id: Id
    title: Annotated[str, Meta(min_length=1, max_length=4096)]
    category: Text | None = None
    brand: Text | None = None
    price: Price | None = None


class Labelled(_UserEvent, frozen=True, kw_only=True):
    """Somebody read a text, or a pair of texts, and said what it is: a question and its answer in one.

    `label` is the name of a class: one of the setting `classes`, or `no` and `yes` where that is empty. Only texts of one
    `user_id` are sure to meet in one partition; where nobody in particular wrote them, each may have its own.
    """

    text: Annotated[str, Meta(min_length=1, max_length=65_536)]
    label: Annotated[str, Meta(min_length=1, max_length=256)]
    pair: Annotated[str, Meta(max_length=65_536)] | None = None
    item_id: Id | None = None
    category: Text | None = None


class Tick(Struct, frozen=True, kw_only=True, tag_field="type", tag="tick"):
    """Nothing happened, but event time has come this far: moves a partition's watermark."""

    event_timestamp: Millis


Event: TypeAlias = (
    Search | Impression | View | Click | Cart | Purchase | Return | Item | Labelled | Tick
)
