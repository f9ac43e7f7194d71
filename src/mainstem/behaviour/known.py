"""What the features of a batch are made of: its sums, its own fields and its words, each once."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from mainstem.behaviour.asked import Moment
from mainstem.behaviour.sums import Sums
from mainstem.behaviour.transforms import Words, words_of

__all__ = ["Known"]

_TOUCHES = ("clicked", "carted", "purchased")
_Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Known:
    """What is known of N samples at their moments.

    Attributes:
        samples: the samples.
        sums: sums over their windows.
    """

    samples: Sequence[Moment]
    sums: Sums

    def field(self, name: str) -> _Floats:
        """A field of every sample, shape (N,)."""
        return np.array([getattr(one, name) for one in self.samples], np.float64)

    def over(self, kind: str, outcome: str, days: int) -> _Floats:
        """How often an outcome happened to the key of each sample in a window, shape (N,)."""
        return self.sums.over(kind, outcome, days).astype(np.float64)

    def touches(self, kind: str, days: int) -> _Floats:
        """Clicks, carts and purchases of the key of each sample in a window, shape (N,)."""
        return sum((self.over(kind, one, days) for one in _TOUCHES), np.zeros(len(self.samples)))

    def shop_touches(self, days: int) -> _Floats:
        """Clicks, carts and purchases of all items together in a window, shape (N,)."""
        return sum(
            (self.sums.of_shop(one, days).astype(np.float64) for one in _TOUCHES),
            np.zeros(len(self.samples)),
        )

    def beside(self, kind: str, days: int) -> _Floats:
        """Touches of each item of a history in a window; see `Sums.beside`, shape (M,)."""
        count = len(self.sums.asked.owner)
        found = (self.sums.beside(kind, one, days).astype(np.float64) for one in _TOUCHES)
        return sum(found, np.zeros(count))

    def together(self, days: int) -> _Floats:
        """Touches of the item by shoppers who had touched an item of the history before, (N,)."""
        return self.sums.summed(self.beside("pair", days))

    @cached_property
    def neighbours(self) -> _Floats:
        """Touches of the items of each history together in 90 days, shape (N,)."""
        return self.sums.summed(self.beside("neighbour", 90))

    @cached_property
    def cosines(self) -> _Floats:
        """Touches of each pair over the root of the touches of both its items, shape (M,)."""
        item, neighbour = (self.beside(kind, 90) for kind in ("item", "neighbour"))
        cosine: _Floats = self.beside("pair", 90) / np.sqrt((item + 1) * (neighbour + 1))
        return cosine

    @cached_property
    def category_rate(self) -> _Floats:
        """Clicks on the category over expected clicks in 90 days; the prior is 10 clicks."""
        clicks, expected = self.sums.clicks("category", 90)
        return (clicks + 10) / (expected + 10)

    @cached_property
    def item_rate(self) -> _Floats:
        """Clicks on the item over expected clicks; the prior is 4 clicks at the category's rate."""
        clicks, expected = self.sums.clicks("item", 90)
        return (clicks + 4 * self.category_rate) / (expected + 4)

    @cached_property
    def query_item_rate(self) -> _Floats:
        """The same of the item under the query; the prior is 2 clicks at the item's rate."""
        clicks, expected = self.sums.clicks("query_item", 90)
        return (clicks + 2 * self.item_rate) / (expected + 2)

    @cached_property
    def price_ratio(self) -> _Floats:
        """Logarithm of price over mean price of the history, NaN if one is unknown, shape (N,)."""
        prices = [self.field(name) for name in ("price", "history_price")]
        own, usual = (np.where(one > 0, one, np.nan) for one in prices)
        return np.log(own / usual)

    @cached_property
    def words(self) -> Words:
        """Overlaps of each item's words with query and history."""
        return words_of([(one.context_text, one.item_text, one.query) for one in self.samples])
