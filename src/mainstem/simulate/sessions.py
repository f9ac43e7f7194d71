"""What shoppers do, if nothing goes wrong: sessions of searches or of one opened page, and the answers that follow."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from mainstem.events.vocabulary import Cart, Click, Purchase, Return, View
from mainstem.simulate.liking import Liking
from mainstem.simulate.shelf import Good, Shelf
from mainstem.simulate.shop import DAY, HOUR, MINUTE, Shop

__all__ = ["Answer", "Asked", "Deed", "Sessions", "says"]

Deed: TypeAlias = tuple[type[Click | Cart | Purchase | Return | View], int]
"""What a shopper does about an item, and when (milliseconds)."""

_BY_HOUR: Final = (
    1,
    1,
    1,
    1,
    1,
    2,
    3,
    5,
    6,
    6,
    6,
    6,
    7,
    6,
    5,
    5,
    6,
    6,
    7,
    8,
    8,
    6,
    4,
    2,
)  # of a day's sessions
_OPENED_FOR: Final = (
    25 * MINUTE
)  # a page opened without a search; its answers name no impression, so nothing may intervene
_TRIES: Final = 4  # of drawing an item that is not on the page yet


@dataclass(slots=True)
class Answer:
    """An item of a question: what the shopper wants, and what they do about it, in the order of time."""

    good: Good
    probability: float
    label: int
    seen: bool
    deeds: list[Deed]


@dataclass(slots=True)
class Asked:
    """A question and its answers; `query` is None for a page opened without a search."""

    user: int
    session: int
    time: int
    query: str | None
    answers: list[Answer] = field(default_factory=list)


def says(deeds: list[Deed]) -> int:
    """The label that deeds amount to: the last one counts, and a return takes the answer back.

    Example:
        >>> says([(Click, 1), (Purchase, 2)]), says([(Purchase, 2), (Return, 9)]), says([(View, 1)]), says([])
        (1, 0, 0, 0)
    """
    kinds = [kind for kind, _ in deeds if kind is not View]
    return int(bool(kinds) and kinds[-1] is not Return)


class Sessions:
    """The sessions of a shop, hour by hour. Accidents draw elsewhere, so the same shop without them asks the same."""

    def __init__(self, shop: Shop, shelf: Shelf) -> None:
        self._shop, self._shelf = shop, shelf
        self._liking = Liking(shop, shelf)
        self._random = shop.draws("sessions").random
        self._draw = shop.draws("categories")
        self._examined = [1 / (1 + shop.position_bias * place) for place in range(shop.page)]
        self._busy: dict[int, int] = {}  # until when; a shopper's sessions do not overlap
        self._number = 0

    def dawn(self, day: int) -> None:
        """Let a day begin."""
        self._liking.dawn(day)

    def hour(self, begin: int) -> Iterator[Asked]:
        """The questions of the sessions that begin in an hour, session by session."""
        shop, random = self._shop, self._random
        self._busy = {user: until for user, until in self._busy.items() if until > begin}
        share = _BY_HOUR[begin % DAY // HOUR] / sum(_BY_HOUR)
        count = int(shop.users * shop.sessions * share + random())
        for time in sorted(begin + int(random() * HOUR) for _ in range(count)):
            user = int(random() * shop.users)
            if self._busy.get(user, 0) > time:
                continue
            self._number += 1
            yield from (
                self._opened(user, time) if random() < shop.views else self._searched(user, time)
            )

    def _searched(self, user: int, time: int) -> Iterator[Asked]:
        """One to three searches, each with a page of items."""
        random, session = self._random, self._number
        favourites = self._liking.favourites(user, time, self._shelf.colours)
        category = self._liking.category(self._draw)
        midnight = (time // DAY + 1) * DAY
        for _ in range(3):
            time += 1000 + int(random() * 1000)
            if time >= midnight:  # another catalogue and another season begin
                return
            asked = Asked(user, session, time, "")
            time = self._show(asked, category, favourites)
            self._busy[user] = time + 1
            yield asked
            if random() > 0.35:
                return
            time += 5000 + int(random() * MINUTE)

    def _show(self, asked: Asked, category: int, favourites: dict[str, float]) -> int:
        """Fill a page for a query about some item of the category; gives the time when the shopper has seen it."""
        random, goods, pools = self._random, self._shelf.goods, self._shelf.pools
        pool = pools[category, ""]
        target = goods[pool[int(random() * len(pool))]]
        word = ""
        if random() < 0.3:
            word = target.colour if random() < 0.5 or not target.material else target.material
        nouns = self._shelf.nouns[category]
        noun = nouns[0] if random() < 0.7 else nouns[int(random() * len(nouns))]
        asked.query = self._shelf.query.format(word=word, noun=noun) if word else noun
        clock = asked.time + 1000
        for place, number in enumerate(self._page(pools[category, word], pool)):
            good = goods[number]
            probability = self._liking.of_shown(good, category, word, favourites)
            label = int(random() < probability)
            seen = random() < self._examined[place]
            deeds: list[Deed] = []
            if seen:
                clock += 1000 + int(random() * 9000)
                if label or random() < self._shop.returns:
                    deeds = self._act(clock, keeps=bool(label))
            asked.answers.append(Answer(good, probability, label, seen, deeds))
        return clock

    def _page(self, fitting: list[int], related: list[int]) -> list[int]:
        """Different items in an order without meaning: nearly half fit the query, some are related, the rest are any."""
        random, known = self._random, len(self._shelf.goods)
        page: dict[int, None] = {}
        for _ in range(self._shop.page):
            for trial in range(_TRIES):
                part = random()
                pool = (
                    fitting
                    if part < 0.42 and not trial
                    else related
                    if part < 0.55 and not trial
                    else None
                )
                number = pool[int(random() * len(pool))] if pool else int(random() * known)
                if number not in page and self._is_sold(number):
                    page[number] = None
                    break
        return list(page)

    def _is_sold(self, number: int) -> bool:
        return not self._liking.is_to_come(self._shelf.goods[number].category)

    def _act(self, time: int, *, keeps: bool) -> list[Deed]:
        """Click, and perhaps look, put into the cart and buy, now or the next day; what is not kept is returned."""
        random = self._random
        deeds: list[Deed] = [(Click, time)]
        if random() < 0.3:
            deeds.append((View, time + 300))
        if keeps and random() < 0.6:
            return deeds
        deeds.append((Cart, time := time + 5000 + int(random() * MINUTE)))
        if keeps and random() < 0.4:
            return deeds
        wait = (
            20 * HOUR + int(random() * 8 * HOUR)
            if random() < 0.2
            else MINUTE + int(random() * 10 * MINUTE)
        )
        deeds.append((Purchase, time := time + wait))
        if not keeps:
            deeds.append((Return, time + 2 * DAY + int(random() * 12 * DAY)))
        return deeds

    def _opened(self, user: int, time: int) -> Iterator[Asked]:
        """One item's page, opened from outside; who wants the item puts it into the cart, and perhaps buys it at once."""
        random, shelf = self._random, self._shelf
        self._busy[user] = time + _OPENED_FOR
        pool = shelf.pools[self._liking.category(self._draw), ""]
        good = shelf.goods[pool[int(random() * len(pool))]]
        probability = self._liking.of_opened(
            good, self._liking.favourites(user, time, shelf.colours)
        )
        label = int(random() < probability)
        deeds: list[Deed] = []
        if label:
            cart = time + 5000 + int(random() * 2 * MINUTE)
            deeds = [(Cart, cart)]
            if random() < 0.4:
                deeds.append((Purchase, cart + MINUTE + int(random() * 15 * MINUTE)))
        yield Asked(user, self._number, time, None, [Answer(good, probability, label, True, deeds)])
