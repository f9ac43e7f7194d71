"""How alike two items are, or an item and a query: alike items are confused more often."""

from mainstem.simulate.sessions import Answer, Asked
from mainstem.simulate.shelf import Good, fits

__all__ = ["likeness", "nearest"]


def likeness(one: Good, other: Good) -> int:
    """How alike two items are, from 0 to 5: the category counts 2, colour, material, brand 1 each.

    Example:
        >>> red = Good("1", "Juno red steel mug 1", 0, "red", "steel", "Juno", 9.5)
        >>> blue = Good("2", "Juno blue glass mug 2", 0, "blue", "glass", "Juno", 7.0)
        >>> likeness(red, blue), likeness(red, red)
        (3, 5)
    """
    return (
        2 * (one.category == other.category >= 0)
        + (one.colour == other.colour != "")
        + (one.material == other.material != "")
        + (one.brand == other.brand != "")
    )


def nearest(asked: Asked, answer: Answer) -> int:
    """How alike an item of a question is to what it may be confused with, from 0 to 5.

    An item that the shopper does not want is confused with the query, or with the nearest item of
    the page that the shopper wants; a wanted item with the nearest unwanted item of the page. An
    item whose page was opened without a search is alone there, so its likeness is 0.
    """
    opposite = (one.good for one in asked.answers if one.label != answer.label)
    most = max((likeness(answer.good, good) for good in opposite), default=0)
    return most if answer.label else max(most, _to_query(asked, answer.good))


def _to_query(asked: Asked, good: Good) -> int:
    if good.category != asked.category:
        return 0
    return 2 + (asked.word != "" and fits(good, asked.category, asked.word))
