"""Which items a page shows under a query."""

from collections.abc import Callable
from typing import Final

from mainstem.simulate.shelf import Shelf, fits
from mainstem.simulate.shop import Shop

__all__ = ["Pages"]

_TRIES: Final = 4  # draws of an item until it is not on the page yet
_FITTING: Final = 0.42  # share of the places for which a usual page draws an item that fits
_RELATED: Final = 0.13  # share of the places that get an item of the query's category


class Pages:
    """The pages of a shop.

    Args:
        shop: the scenario; `fitting` is the share of a page's items that fit, `dear_first` the
            share of the pages that list the dearest items first.
        shelf: all items.
        random: draws numbers in [0, 1).
        is_to_come: says whether a category is not sold yet.
    """

    def __init__(
        self,
        shop: Shop,
        shelf: Shelf,
        random: Callable[[], float],
        is_to_come: Callable[[int], bool],
    ) -> None:
        self._shop, self._shelf = shop, shelf
        self._random, self._is_to_come = random, is_to_come

    def draw(self, category: int, word: str) -> list[int]:
        """Draw the numbers of different items, in the order of the page.

        Args:
            category: number of the category in the query.
            word: colour or material in the query; empty if there is none.
        """
        shop, goods = self._shop, self._shelf.goods
        if shop.fitting is None:
            page = self._usual(category, word)
        else:
            page = self._with_share(category, word, shop.fitting)
        if shop.dear_first and self._random() < shop.dear_first:
            page.sort(key=lambda number: -goods[number].price)
        return page

    def _usual(self, category: int, word: str) -> list[int]:
        """Nearly half of the items are drawn to fit the query, some others are related."""
        random, pools = self._random, self._shelf.pools
        fitting, related = pools[category, word], pools[category, ""]
        page: dict[int, None] = {}
        for _ in range(self._shop.page):
            for trial in range(_TRIES):
                part = random()
                pool = None
                if not trial and part < _FITTING + _RELATED:
                    pool = fitting if part < _FITTING else related
                number = self._one_of(pool) if pool else self._any()
                if number not in page and self._is_sold(number):
                    page[number] = None
                    break
        return list(page)

    def _with_share(self, category: int, word: str, share: float) -> list[int]:
        """A page on which a share of the items fits; it is shorter where too few do.

        A page of ten that needs eight red mugs shows five items if the shop has four red mugs.
        """
        random, pools = self._random, self._shelf.pools
        fitting = len(pools[category, word])
        places = self._shop.page
        if share:
            places = min(places, int(fitting / share))
        if share < 1:
            places = min(places, int((self._sold() - fitting) / (1 - share)))
        wanted = min(int(share * places + random()), fitting)
        page: dict[int, None] = {}
        for left in range(places, 0, -1):
            if random() * left < wanted:
                wanted -= 1
                page[self._fitting(category, word, page)] = None
            else:
                page[self._other(category, word, page)] = None
        return list(page)

    def _fitting(self, category: int, word: str, page: dict[int, None]) -> int:
        pool = self._shelf.pools[category, word]
        while (number := self._one_of(pool)) in page:
            pass
        return number

    def _other(self, category: int, word: str, page: dict[int, None]) -> int:
        """An item that does not fit: some share the category of the query, most are any."""
        goods, related = self._shelf.goods, self._shelf.pools[category, ""]
        while True:
            is_related = self._random() < _RELATED / (1 - _FITTING)
            number = self._one_of(related) if is_related else self._any()
            is_new = number not in page and self._is_sold(number)
            if is_new and not fits(goods[number], category, word):
                return number

    def _one_of(self, pool: list[int]) -> int:
        return pool[int(self._random() * len(pool))]

    def _any(self) -> int:
        return int(self._random() * len(self._shelf.goods))

    def _is_sold(self, number: int) -> bool:
        return not self._is_to_come(self._shelf.goods[number].category)

    def _sold(self) -> int:
        """How many items are sold today."""
        names, pools = self._shelf.names, self._shelf.pools
        later = (number for number in range(len(names)) if self._is_to_come(number))
        return len(self._shelf.goods) - sum(len(pools[number, ""]) for number in later)
