"""The catalogue of a simulated shop, made from words or taken from the shipped excerpt."""

import gzip
from collections import Counter
from dataclasses import dataclass, field
from importlib import resources
from math import fsum
from random import Random
from typing import Final

from mainstem.errors import SettingError
from mainstem.events.decode import decode
from mainstem.events.vocabulary import Item
from mainstem.simulate.shop import Shop
from mainstem.simulate.words import COLOURS_IN_TITLES, WORDS

__all__ = ["OTHER", "Good", "Shelf", "fill", "fits"]

OTHER: Final = "other"
"""The category of items that share their noun with too few others; nobody searches for it."""
_FEWEST: Final = 4  # fewest items of a category; in a large catalogue, one item in 200
_NO_NOUN: Final = frozenset(COLOURS_IN_TITLES).union(
    ("small", "large", "medium", "mini", "big", "tall", "round", "pack", "set", "assorted"),
    ("antique", "vintage", "finish", "design", "designs", "retrospot", "polkadot", "paisley"),
    ("spot", "spots", "stripe", "check", "woodland", "london", "hanging", "heart", "hearts"),
    ("zinc", "christmas", "colour", "colours"),
)
_AFTER: Final = (" WITH ", " IN ", " FOR ", " ON ")  # the rest of a title describes the noun before
_HISSES: Final = ("s", "x", "ch", "sh")


@dataclass(slots=True)
class Good:
    """An item as it is now.

    Attributes:
        item_id, title, brand, price: as in the item's event; an empty brand means none.
        category: number of its category; -1 if nobody searches for its category.
        colour, material: words that a query may ask for; empty if it has none.
        cheapness: from -1 (expensive for its category) to 1 (cheap).
    """

    item_id: str
    title: str
    category: int
    colour: str
    material: str
    brand: str
    price: float
    cheapness: float = 0.0


@dataclass(slots=True)
class Shelf:
    """All items, arranged by what shoppers look for.

    Attributes:
        goods: all items, in the order of their numbers.
        names, nouns: name of each category, and the nouns by which shoppers search for it.
        colours: all colours.
        query: format of a query with a word and a noun.
        pools: numbers of the items by category and colour or material; all of a category under "".
    """

    goods: list[Good]
    names: list[str]
    nouns: list[tuple[str, ...]]
    colours: tuple[str, ...]
    query: str
    pools: dict[tuple[int, str], list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for number, good in enumerate(self.goods):
            self._put(number, good)
        for category in range(len(self.names)):
            prices = [self.goods[number].price for number in self.pools[category, ""]]
            # subtle: fsum, because sum() of floats differs between Python 3.11 and 3.12
            typical = fsum(prices) / len(prices)
            for number in self.pools[category, ""]:
                good = self.goods[number]
                good.cheapness = (typical - good.price) / (typical + good.price)

    def category(self, good: Good) -> str:
        """Return the name of an item's category."""
        return self.names[good.category] if good.category >= 0 else OTHER

    def event(self, number: int, event_id: str, time: int) -> Item:
        """Return the item event of an item as it is now."""
        good = self.goods[number]
        return Item(
            event_id=event_id,
            event_timestamp=time,
            item_id=good.item_id,
            title=good.title,
            category=self.category(good),
            brand=good.brand or None,
            price=good.price,
        )

    def change(self, number: int, draw: Random) -> None:
        """Change the price of an item, or its colour if the title names one."""
        good = self.goods[number]
        other = self.colours[int(draw.random() * len(self.colours))]
        if good.colour and draw.random() < 0.5:
            self.pools[good.category, good.colour].remove(number)
            good.title = _recoloured(good.title, good.colour, other)
            good.colour = other
            self.pools.setdefault((good.category, other), []).append(number)
        else:
            good.price = max(round(good.price * (0.7 + 0.6 * draw.random()), 2), 0.01)

    def _put(self, number: int, good: Good) -> None:
        for word in dict.fromkeys(("", good.colour, good.material)):
            self.pools.setdefault((good.category, word), []).append(number)


def fits(good: Good, category: int, word: str) -> bool:
    """Whether an item answers a query: it has the category, and the colour or material if any."""
    return good.category == category and (not word or word in (good.colour, good.material))


def fill(shop: Shop) -> Shelf:
    """Return the shelf of a shop on its first day.

    A category that is added later is the last, and its items are included.

    Example:
        >>> fill(Shop(items=48)).goods[1].title
        'Harrow blue leather lamp 2'
    """
    return _excerpt(shop) if shop.catalogue == "excerpt" else _made(shop)


def _made(shop: Shop) -> Shelf:
    words, draw = WORDS[shop.language], shop.draws("catalogue")

    def one_of(choices: tuple[str, ...]) -> str:
        return choices[int(draw.random() * len(choices))]

    categories = words.categories[: min(len(words.categories), max(shop.items // shop.page, 2))]
    typical = [5 + 45 * draw.random() for _ in categories]
    goods = []
    for number in range(shop.items):
        category = number % len(categories)
        colour, material = one_of(words.colours), one_of(words.materials)
        brand, noun = one_of(words.brands), categories[category][1][0]
        title = words.title.format(
            brand=brand, colour=colour, material=material, noun=noun, number=number + 1
        )
        price = round(typical[category] * (0.5 + draw.random()), 2)
        goods.append(Good(f"item-{number + 1}", title, category, colour, material, brand, price))
    names, nouns = [name for name, _ in categories], [nouns for _, nouns in categories]
    return Shelf(goods, names, nouns, words.colours, words.query)


def _excerpt(shop: Shop) -> Shelf:
    with (
        (resources.files("mainstem.data") / "online-retail.jsonl.gz").open("rb") as file,
        gzip.open(file) as log,
    ):
        items = [event for event in map(decode, log) if isinstance(event, Item)]
    if shop.items > len(items):
        msg = (
            f"the excerpt has {len(items):,} items; got items={shop.items:,}; "
            "take fewer, or the made catalogue"
        )
        raise SettingError(msg)
    items = items[: shop.items]
    heads = [_head(item.title) for item in items]
    shared = Counter(heads).most_common()  # equal counts stay in the order of the log
    names = [head for head, count in shared if head and count >= max(_FEWEST, shop.items // 200)]
    if len(names) < 2:
        msg = f"{shop.items} items of the excerpt make fewer than two categories; take more"
        raise SettingError(msg)
    number_by_name = {name: number for number, name in enumerate(names)}
    goods = []
    for item, head in zip(items, heads, strict=True):
        colours = (word for word in item.title.lower().split() if word in COLOURS_IN_TITLES)
        category, colour = number_by_name.get(head, -1), next(colours, "")
        price = item.price or 0.01  # no item is free
        goods.append(Good(item.item_id, item.title, category, colour, "", "", price))
    nouns: list[tuple[str, ...]] = [(name, _plural(name)) for name in names]
    return Shelf(goods, names, nouns, COLOURS_IN_TITLES, WORDS["en"].query)


def _head(title: str) -> str:
    """The noun of a title, in the singular.

    Example:
        >>> _head("RED TEA CUPS WITH HEARTS"), _head("LUNCH BOXES RETROSPOT SMALL")
        ('cup', 'box')
    """
    for place in _AFTER:
        title = title.partition(place)[0]
    words = [word.strip(".,'\"()").lower() for word in title.split()]
    nouns = [word for word in words if word.isalpha() and len(word) > 2 and word not in _NO_NOUN]
    if not nouns:
        return ""
    noun = nouns[-1]
    if noun.endswith(tuple(f"{end}es" for end in _HISSES)):
        return noun[:-2]
    return noun[:-1] if noun.endswith("s") and not noun.endswith("ss") else noun


def _plural(noun: str) -> str:
    return f"{noun}es" if noun.endswith(_HISSES) else f"{noun}s"


def _recoloured(title: str, before: str, after: str) -> str:
    if before.upper() in title:
        return title.replace(before.upper(), after.upper(), 1)
    return title.replace(before, after, 1)
