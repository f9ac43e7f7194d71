"""What the model reads: the shopper's query and recent history on one side, the item on the other."""

from mainstem.events import Item
from mainstem.join.sample import price_band

__all__ = ["context_text", "item_text"]


def item_text(item: Item) -> str:
    """Title, category, brand and price band of an item.

    Example:
        >>> item_text(Item(event_id="1", event_timestamp=0, item_id="a", title="red cup", brand="Acme", price=2.5))
        'red cup | Acme | price 2 to 5'
    """
    band = price_band(item.price)
    parts = (item.title, item.category, item.brand, band and f"price {band}")
    return " | ".join(part for part in parts if part)


def context_text(query: str, history: list[str]) -> str:
    """Query first, then the titles of the history, newest first.

    Example:
        >>> context_text("cup", ["red cup", "blue mug"])
        'cup ; red cup ; blue mug'
    """
    return " ; ".join([query, *history] if query else history)
