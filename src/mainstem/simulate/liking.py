"""What shoppers want: which category, and with which probability an item that they are shown.

All formulas, the S-curve included, use only sums, products, quotients and square roots, which every
machine rounds alike.
"""

from bisect import bisect_right
from itertools import accumulate
from math import sqrt
from random import Random
from typing import Final

from mainstem.ids import fraction_of, number_of
from mainstem.simulate.shelf import Good, Shelf, fits
from mainstem.simulate.shop import DAY, Shop

__all__ = ["Liking", "probability_of"]

# pull of an item that fits the query, has its noun but not its adjective, or neither
_FULL: Final = (1.5, -1.5, -7.0)
_PLAIN: Final = (14.04, -14.04, -14.04)  # probabilities .995 and .005
_OPENED: Final = -1.0  # pull of an item whose page was opened without a search
_YEAR: Final = 365


def probability_of(pull: float) -> float:
    """Turn a pull into a probability, by an S-curve from 0 to 1.

    The result is rounded to four decimals and labels are drawn from the rounded value, so the truth
    is exact.

    Example:
        >>> probability_of(0.0), probability_of(48 / 7), probability_of(-1.5)
        (0.5, 0.98, 0.2)
    """
    return round((1 + pull / sqrt(4 + pull * pull)) / 2, 4)


class Liking:
    """What all shoppers want, day after day."""

    def __init__(self, shop: Shop, shelf: Shelf) -> None:
        self._shop = shop
        self._fits, self._half_fits, self._misfits = _PLAIN if shop.plain else _FULL
        self._peaks = [fraction_of("season", shop.seed, name) for name in shelf.names]
        self._charm = [0.5 + fraction_of("charm", shop.seed, name) for name in shelf.names]
        self.dawn(0)

    def dawn(self, day: int) -> None:
        """Begin a day, counted from 0: the season moves on, and a category may be added."""
        shop, known = self._shop, len(self._peaks)
        first = shop.begin // DAY
        if day < shop.new_category:
            known -= 1
        waves = [_wave((first + day) % _YEAR / _YEAR - peak) for peak in self._peaks]
        self._seasonal = [shop.season * wave for wave in waves]
        pairs = zip(self._charm, waves, strict=True)
        weights = [charm * (1 + shop.season * wave) for charm, wave in pairs]
        self._weights = list(accumulate(weights[:known]))

    def category(self, draw: Random) -> int:
        """Draw the category that a shopper looks for today, among those that are sold."""
        weights = self._weights
        return min(bisect_right(weights, draw.random() * weights[-1]), len(weights) - 1)

    def is_to_come(self, category: int) -> bool:
        """Whether a category is not sold yet today."""
        return category >= len(self._weights)

    def favourites(self, user: int, time: int, colours: tuple[str, ...]) -> dict[str, float]:
        """Return how strongly each favourite colour attracts a shopper.

        With drift, a shopper slowly moves from one favourite colour to the next.

        Args:
            user: number of the shopper.
            time: event time, in milliseconds since 1970.
            colours: all colours of the catalogue.
        """
        shop = self._shop
        if not shop.taste:
            return {}
        phase = fraction_of("phase", shop.seed, user)
        if shop.drift:
            phase += (time - shop.begin) / (DAY * shop.drift)
        turn = int(phase)
        part = phase - turn if shop.drift else 0.0
        before, after = (
            colours[number_of("taste", shop.seed, user, one) % len(colours)]
            for one in (turn, turn + 1)
        )
        if before == after:
            return {before: shop.taste}
        return {before: shop.taste * (1 - part), after: shop.taste * part}

    def of_shown(self, good: Good, category: int, word: str, favourites: dict[str, float]) -> float:
        """Return the probability that a shopper wants, and keeps, an item shown under a query.

        Args:
            good: the item.
            category: number of the category in the query.
            word: colour or material in the query; empty if there is none.
            favourites: pull of the colours that the shopper likes.
        """
        if good.category != category:
            pull = self._misfits
        elif fits(good, category, word):
            pull = self._fits
        else:
            pull = self._half_fits
        return probability_of(pull + self._own(good, favourites))

    def of_opened(self, good: Good, favourites: dict[str, float]) -> float:
        """Return the probability that a shopper wants, and keeps, an item opened with no search."""
        return probability_of(_OPENED + self._own(good, favourites))

    def _own(self, good: Good, favourites: dict[str, float]) -> float:
        season = self._seasonal[good.category] if good.category >= 0 else 0.0
        return favourites.get(good.colour, 0.0) + self._shop.thrift * good.cheapness + season


def _wave(turns: float) -> float:
    """A triangle wave: 1 at whole turns, -1 halfway between them."""
    return 4 * abs(turns % 1 - 0.5) - 1
