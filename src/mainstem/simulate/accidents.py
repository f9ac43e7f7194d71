"""What goes wrong between a shopper's wish and the log: four accidents that make the log answer otherwise."""

from typing import Final

from msgspec import Struct

from mainstem.events.vocabulary import Cart, Click
from mainstem.ids import fraction_of, number_of
from mainstem.simulate.sessions import Answer, Asked, says
from mainstem.simulate.shelf import Shelf
from mainstem.simulate.shop import DAY, Shop

__all__ = ["Accidents", "TrackingBug"]

_OF_BOT: Final = 0.3  # share of what it is shown that a bot acts on


class TrackingBug(Struct, frozen=True, kw_only=True):
    """Between two event times (milliseconds, the second not included) the outcomes of a category's items are turned over."""

    category: str
    begin: int
    end: int


class Accidents:
    """Mis-clicks, bots, the tracking bug, and outcomes that are turned over."""

    def __init__(self, shop: Shop, shelf: Shelf) -> None:
        self._shop = shop
        self._random = shop.draws("accidents").random
        self.bug: TrackingBug | None = None
        if shop.tracking_bug:
            sold = len(shelf.names) - (shop.new_category > 0)
            self._broken = number_of("tracking bug", shop.seed, "category") % sold
            length = min(shop.tracking_bug, shop.days)
            first = number_of("tracking bug", shop.seed, "day") % (shop.days - length + 1)
            begin = shop.begin + first * DAY
            self.bug = TrackingBug(
                category=shelf.names[self._broken], begin=begin, end=begin + length * DAY
            )

    def is_bot(self, user: int) -> bool:
        """Whether a shopper is a program."""
        return bool(self._shop.bots) and fraction_of("bot", self._shop.seed, user) < self._shop.bots

    def befall(self, asked: Asked) -> list[str]:
        """Change what is done about the items of a question; gives for each the accident that did, or ""."""
        bot = self.is_bot(asked.user)
        broken = self.bug is not None and self.bug.begin <= asked.time < self.bug.end
        return [self._befall(asked, answer, bot=bot, broken=broken) for answer in asked.answers]

    def _befall(self, asked: Asked, answer: Answer, *, bot: bool, broken: bool) -> str:
        shop, random, cause = self._shop, self._random, ""
        if bot:
            cause = "bot"
            answer.deeds = [self._invented(asked)] if random() < _OF_BOT else []
        elif (
            not answer.deeds
            and not answer.label
            and answer.seen
            and asked.query is not None
            and random() < shop.misclicks
        ):
            cause = "misclick"
            answer.deeds = [self._invented(asked)]
        if broken and answer.good.category == self._broken:
            cause = "tracking bug"
            self._turn_over(asked, answer)
        if shop.turned_over and random() < shop.turned_over:
            cause = "turned over"
            self._turn_over(asked, answer)
        return cause

    def _turn_over(self, asked: Asked, answer: Answer) -> None:
        answer.deeds = [] if says(answer.deeds) else [self._invented(asked)]

    def _invented(self, asked: Asked) -> tuple[type[Click | Cart], int]:
        """An answer that nobody gave; a page opened without a search is answered by a cart."""
        kind = Cart if asked.query is None else Click
        return kind, asked.time + 1000 + int(self._random() * 60_000)
