"""The vocabulary: eight kinds of event, labelled texts, and the tick that carries time.

On the wire an event is one JSON object with a `type`. Unknown fields are ignored, so that a shop
may send more than mainstem reads. An event with a missing or wrong field is refused (see `decode`).
Times are milliseconds since 1970 in UTC.
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
    Struct, frozen=True, kw_only=True, gc=False, tag_field="type", tag=str.lower, omit_defaults=True
):
    """The fields of every event.

    Attributes:
        event_id: id of the event; a repetition within `dedupe_horizon` counts once.
        event_timestamp: time of the event, in milliseconds since 1970 UTC.
    """

    event_id: Id
    event_timestamp: Millis


class _UserEvent(_Event, frozen=True, kw_only=True):
    """The fields of every event of a shopper.

    Attributes:
        user_id: id of the shopper; a keyed hash replaces it before anything is kept.
        session_id: id of the shopper's session, if known; a keyed hash replaces it likewise.
    """

    user_id: Id
    session_id: Id | None = None


class Search(_UserEvent, frozen=True, kw_only=True):
    """A shopper typed a query, which later questions of the session get if they have none.

    Attributes:
        query: the words of the query.
    """

    query: Text


class Shown(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One item of an impression.

    Attributes:
        item_id: id of the item.
        position: place on the page, where 1 is the first; if missing, the place in the list counts.
        propensity: probability with which the shop showed the item in this place, if known.
    """

    item_id: Id
    position: Annotated[int, Meta(ge=1, le=2**31 - 1)] | None = None
    propensity: Annotated[float, Meta(gt=0, le=1)] | None = None


class Impression(_UserEvent, frozen=True, kw_only=True):
    """Items were shown under a query, which is a question to the shopper.

    Attributes:
        impression_id: id of the impression, which its outcomes may name.
        items: the items that were shown, in the order of the page.
        query: the query; if missing, the latest search of the session counts, if there is one.
    """

    impression_id: Id
    items: Annotated[tuple[Shown, ...], Meta(min_length=1, max_length=1000)]
    query: Text | None = None


class View(_UserEvent, frozen=True, kw_only=True):
    """A shopper opened the page of an item.

    A view is a question, unless it names an impression; then it is only context.

    Attributes:
        item_id: id of the item.
        impression_id: impression from which the shopper came, if there is one.
    """

    item_id: Id
    impression_id: Id | None = None


class Outcome(_UserEvent, frozen=True, kw_only=True):
    """The answer to a question.

    An outcome names its impression, or else answers the user's latest question with its item.

    Attributes:
        item_id: id of the item.
        impression_id: impression that the outcome answers; if missing, the user's latest question
            with the item is answered.
    """

    item_id: Id
    impression_id: Id | None = None


class Click(Outcome, frozen=True, kw_only=True):
    """The shopper clicked an item that was shown."""


class Cart(Outcome, frozen=True, kw_only=True):
    """The shopper put the item into the cart."""


class Purchase(Outcome, frozen=True, kw_only=True):
    """The shopper bought the item.

    In a log without impressions and views a purchase is itself a question, answered yes.

    Attributes:
        quantity: number of pieces that the shopper bought, if known.
        price: price of one piece, if known.
    """

    quantity: Annotated[float, Meta(gt=0)] | None = None
    price: Price | None = None


class Return(Outcome, frozen=True, kw_only=True):
    """The shopper sent the item back, so the answer becomes no.

    Attributes:
        quantity: number of pieces that the shopper sent back, if known.
    """

    quantity: Annotated[float, Meta(gt=0)] | None = None


class Item(_Event, frozen=True, kw_only=True):
    """The catalogue has a new item, or new text of an item, from `event_timestamp` on.

    Attributes:
        item_id: id of the item.
        title: name of the item, with which its text for the model begins.
        category: category of the item, if known.
        brand: brand of the item, if known.
        price: price of the item, if known; the item's text has a price band in place of it.
    """

    item_id: Id
    title: Annotated[str, Meta(min_length=1, max_length=4096)]
    category: Text | None = None
    brand: Text | None = None
    price: Price | None = None


class Labelled(_UserEvent, frozen=True, kw_only=True):
    """A text, or a pair of texts, with its class: a question and its answer in one.

    Texts with the same `user_id` are in one partition. If texts have no author, each may have a
    `user_id` of its own.

    Attributes:
        text: the text, or the first of a pair.
        label: name of a class, one of the setting `classes`, or `no` or `yes` if that is empty.
        pair: the second text of a pair.
        item_id: id of the item that the text is about, if there is one.
        category: category of the text, if known.
        grade: relevance of the pair in [0, 1], if somebody graded it; if missing, the place of the
            label among the classes counts.
    """

    text: Annotated[str, Meta(min_length=1, max_length=65_536)]
    label: Annotated[str, Meta(min_length=1, max_length=256)]
    pair: Annotated[str, Meta(max_length=65_536)] | None = None
    item_id: Id | None = None
    category: Text | None = None
    grade: Annotated[float, Meta(ge=0, le=1)] | None = None


class Tick(Struct, frozen=True, kw_only=True, tag_field="type", tag="tick"):
    """Nothing happened, but event time has come this far. A tick moves a partition's watermark.

    Attributes:
        event_timestamp: time that has been reached, in milliseconds since 1970 UTC.
    """

    event_timestamp: Millis


Event: TypeAlias = (
    Search | Impression | View | Click | Cart | Purchase | Return | Item | Labelled | Tick
)
