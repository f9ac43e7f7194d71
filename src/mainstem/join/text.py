"""The two texts that a model reads: the shopper's query and history, and the item."""

from mainstem.events import Item
from mainstem.join.sample import price_band

__all__ = ["context_text", "item_text"]


def item_text(item: Item) -> str:
    """Join title, category, brand and price band of an item; parts that it lacks are left out.

    Example:
        >>> cup = Item(event_id="1", event_timestamp=0, item_id="a", title="red cup", price=2.5)
        >>> item_text(cup)
        'red cup | price 2 to 5'
    """
    band = price_band(item.price)
    parts = (item.title, item.category, item.brand, band and f"price {band}")
    return " | ".join(part for part in parts if part)


def context_text(query: str, history: list[str]) -> str:
    """Join the query, if there is one, and the titles of the history in the order given.

    Example:
        >>> context_text("cup", ["red cup", "blue mug"])
        'cup ; red cup ; blue mug'
    """
    return " ; ".join([query, *history] if query else history)
