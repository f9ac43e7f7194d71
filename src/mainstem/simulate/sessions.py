"""What shoppers do, accidents aside: sessions of searches, or of one opened page, and answers."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from mainstem.events.vocabulary import Cart, Click, Purchase, Return, View
from mainstem.simulate.liking import Liking
from mainstem.simulate.pages import Pages
from mainstem.simulate.shelf import Good, Shelf
from mainstem.simulate.shop import DAY, HOUR, MINUTE, Shop

__all__ = ["Answer", "Asked", "Deed", "Sessions", "says"]

Deed: TypeAlias = tuple[type[Click | Cart | Purchase | Return | View], int]
"""What a shopper does about an item, and when, in milliseconds since 1970."""

_BY_HOUR: Final = tuple(map(int, "111112356666765566788642"))  # weight of each hour of a day
# how long a page is open without a search; its answers name no impression, so the shopper may not
# open another question meanwhile
_OPENED_FOR: Final = 25 * MINUTE


@dataclass(slots=True)
class Answer:
    """An item of a question, and how the shopper answers.

    Attributes:
        good: the item.
        probability: true probability that the shopper wants and keeps the item.
        label: whether they do, drawn from it: 1 or 0.
        seen: whether they look at the item.
        deeds: what they do about it, in the order of time.
    """

    good: Good
    probability: float
    label: int
    seen: bool
    deeds: list[Deed]


@dataclass(slots=True)
class Asked:
    """A question and its answers.

    Attributes:
        user, session: number of the shopper and of the session.
        time: event time of the question, in milliseconds since 1970.
        query: the query; None for a page that was opened without a search.
        category, word: category of the query by its number, and its colour or material; -1 and
            empty if there is none.
        answers: one for each item of the question, in the order of the page.
    """

    user: int
    session: int
    time: int
    query: str | None
    category: int = -1
    word: str = ""
    answers: list[Answer] = field(default_factory=list)


def says(deeds: list[Deed]) -> int:
    """Return the label that deeds amount to: 1 if the last deed is not a return, views aside.

    Example:
        >>> says([(Click, 1), (Purchase, 2)]), says([(Purchase, 2), (Return, 9)])
        (1, 0)
        >>> says([(View, 1)]), says([])
        (0, 0)
    """
    kinds = [kind for kind, _ in deeds if kind is not View]
    return int(bool(kinds) and kinds[-1] is not Return)


class Sessions:
    """The sessions of a shop, hour by hour.

    Accidents have random numbers of their own, so a shop without them has the same questions.
    """

    def __init__(self, shop: Shop, shelf: Shelf) -> None:
        self._shop, self._shelf = shop, shelf
        self._liking = Liking(shop, shelf)
        self._random = shop.draws("sessions").random
        self._draw = shop.draws("categories")
        self._pages = Pages(shop, shelf, self._random, self._liking.is_to_come)
        self._examined = [1 / (1 + shop.position_bias * place) for place in range(shop.page)]
        self._busy: dict[int, int] = {}  # when each shopper's session ends; sessions do not overlap
        self._number = 0

    def dawn(self, day: int) -> None:
        """Begin a day, counted from 0."""
        self._liking.dawn(day)

    def hour(self, begin: int) -> Iterator[Asked]:
        """Yield the questions of the sessions that begin in an hour, session by session."""
        shop, random = self._shop, self._random
        self._busy = {user: until for user, until in self._busy.items() if until > begin}
        share = _BY_HOUR[begin % DAY // HOUR] / sum(_BY_HOUR)
        count = int(shop.users * shop.sessions * share + random())
        for time in sorted(begin + int(random() * HOUR) for _ in range(count)):
            user = int(random() * shop.users)
            if self._busy.get(user, 0) > time:
                continue
            self._number += 1
            session = self._opened if random() < shop.views else self._searched
            yield from session(user, time)

    def _searched(self, user: int, time: int) -> Iterator[Asked]:
        """A session of one to three searches, each with a page of items."""
        random, session = self._random, self._number
        favourites = self._liking.favourites(user, time, self._shelf.colours)
        category = self._liking.category(self._draw)
        midnight = (time // DAY + 1) * DAY
        for _ in range(3):
            time += 1000 + int(random() * 1000)
            if time >= midnight:  # the next day has another catalogue and season
                return
            asked = Asked(user, session, time, "")
            time = self._show(asked, category, favourites)
            self._busy[user] = time + 1
            yield asked
            if random() > 0.35:
                return
            time += 5000 + int(random() * MINUTE)

    def _show(self, asked: Asked, category: int, favourites: dict[str, float]) -> int:
        """Show a page for a query about the category; return when the shopper has seen it."""
        random, goods = self._random, self._shelf.goods
        pool = self._shelf.pools[category, ""]
        target = goods[pool[int(random() * len(pool))]]
        word = ""
        if random() < 0.3:
            word = target.colour if random() < 0.5 or not target.material else target.material
        nouns = self._shelf.nouns[category]
        noun = nouns[0] if random() < 0.7 else nouns[int(random() * len(nouns))]
        asked.category, asked.word = category, word
        asked.query = self._shelf.query.format(word=word, noun=noun) if word else noun
        clock = asked.time + 1000
        for place, number in enumerate(self._pages.draw(category, word)):
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

    def _act(self, time: int, *, keeps: bool) -> list[Deed]:
        """A click, and perhaps a view, a cart, and a purchase soon or the next day.

        An item that the shopper does not keep is bought and returned.
        """
        random = self._random
        deeds: list[Deed] = [(Click, time)]
        if random() < 0.3:
            deeds.append((View, time + 300))
        if keeps and random() < 0.6:
            return deeds
        deeds.append((Cart, time := time + 5000 + int(random() * MINUTE)))
        if keeps and random() < 0.4:
            return deeds
        if random() < 0.2:
            time += 20 * HOUR + int(random() * 8 * HOUR)
        else:
            time += MINUTE + int(random() * 10 * MINUTE)
        deeds.append((Purchase, time))
        if not keeps:
            deeds.append((Return, time + 2 * DAY + int(random() * 12 * DAY)))
        return deeds

    def _opened(self, user: int, time: int) -> Iterator[Asked]:
        """A session that opens one item's page without a search.

        A shopper who wants the item puts it into the cart, and perhaps buys it at once.
        """
        random, shelf = self._random, self._shelf
        self._busy[user] = time + _OPENED_FOR
        pool = shelf.pools[self._liking.category(self._draw), ""]
        good = shelf.goods[pool[int(random() * len(pool))]]
        favourites = self._liking.favourites(user, time, shelf.colours)
        probability = self._liking.of_opened(good, favourites)
        label = int(random() < probability)
        deeds: list[Deed] = []
        if label:
            cart = time + 5000 + int(random() * 2 * MINUTE)
            deeds = [(Cart, cart)]
            if random() < 0.4:
                deeds.append((Purchase, cart + MINUTE + int(random() * 15 * MINUTE)))
        answer = Answer(good, probability, label, True, deeds)
        yield Asked(user, self._number, time, None, answers=[answer])
