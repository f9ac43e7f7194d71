"""Four accidents that make the log answer differently than the shopper meant."""

from typing import Final

from msgspec import Struct

from mainstem.events.vocabulary import Cart, Click
from mainstem.ids import fraction_of, number_of
from mainstem.simulate.sessions import Answer, Asked, Deed, says
from mainstem.simulate.shelf import Shelf
from mainstem.simulate.shop import DAY, Shop

__all__ = ["Accidents", "TrackingBug", "invented"]

_OF_BOT: Final = 0.3  # share of the items shown to a bot that it acts on


class TrackingBug(Struct, frozen=True, kw_only=True):
    """A bug that turns over the outcomes of one category: yes becomes no, and no becomes yes.

    Attributes:
        category: name of the category.
        begin, end: event times, in milliseconds since 1970, between which the bug lasts; the end is
            not included.
    """

    category: str
    begin: int
    end: int


class Accidents:
    """Mis-clicks, bots, the tracking bug, and outcomes that are turned over at random.

    Attributes:
        bug: the tracking bug; None if the shop has none.
    """

    def __init__(self, shop: Shop, shelf: Shelf) -> None:
        self._shop = shop
        self._random = shop.draws("accidents").random
        self.bug: TrackingBug | None = None
        if shop.tracking_bug:
            sold = len(shelf.names) - (shop.new_category > 0)
            self._broken = number_of("tracking bug", shop.seed, "category") % sold
            length = min(shop.tracking_bug, shop.days)
            first = number_of("tracking bug", shop.seed, "day") % (shop.days - length + 1)
            begin, name = shop.begin + first * DAY, shelf.names[self._broken]
            self.bug = TrackingBug(category=name, begin=begin, end=begin + length * DAY)

    def is_bot(self, user: int) -> bool:
        """Whether a shopper is a program."""
        return bool(self._shop.bots) and fraction_of("bot", self._shop.seed, user) < self._shop.bots

    def apply(self, asked: Asked) -> list[str]:
        """Change the deeds of a question by accidents.

        Returns:
            For each item of the question the accident that changed its deeds, or "".
        """
        bot = self.is_bot(asked.user)
        broken = self.bug is not None and self.bug.begin <= asked.time < self.bug.end
        return [self._applied(asked, answer, bot=bot, broken=broken) for answer in asked.answers]

    def _applied(self, asked: Asked, answer: Answer, *, bot: bool, broken: bool) -> str:
        shop, random, cause = self._shop, self._random, ""
        ignored = answer.seen and not answer.label and not answer.deeds
        if bot:
            cause = "bot"
            answer.deeds = [invented(asked, random())] if random() < _OF_BOT else []
        elif ignored and asked.query is not None and random() < shop.misclicks:
            cause = "misclick"
            answer.deeds = [invented(asked, random())]
        if broken and answer.good.category == self._broken:
            cause = "tracking bug"
            self._turn_over(asked, answer)
        if shop.turned_over and random() < shop.turned_over:
            cause = "turned over"
            self._turn_over(asked, answer)
        return cause

    def _turn_over(self, asked: Asked, answer: Answer) -> None:
        answer.deeds = [] if says(answer.deeds) else [invented(asked, self._random())]


def invented(asked: Asked, draw: float) -> Deed:
    """Return an answer that no shopper gave: a click, or a cart if there was no search.

    Args:
        asked: the question.
        draw: number in [0, 1) that says when in the minute after the question.
    """
    kind = Cart if asked.query is None else Click
    return kind, asked.time + 1000 + int(draw * 60_000)
