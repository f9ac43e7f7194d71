"""A whole simulation: the catalogue, then day by day its changes and the shoppers' sessions."""

import os
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, Final

import msgspec

from mainstem.events.vocabulary import Impression, Purchase, Return, Search, Shown, View
from mainstem.simulate.accidents import Accidents
from mainstem.simulate.arrivals import LOSING, ON_THE_WAY, Arrivals
from mainstem.simulate.confusion import Confusion, Plan
from mainstem.simulate.optimum import best_auc_of_counts
from mainstem.simulate.sessions import Answer, Asked, Deed, Sessions, says
from mainstem.simulate.shelf import Shelf, fill
from mainstem.simulate.shop import DAY, HOUR, Shop
from mainstem.simulate.truth import TruthOfItem, TruthOfQuestion, TruthOfShop, without_later

__all__ = ["Simulated", "simulate"]

_EVER: Final = 1 << 62
_TRUTH: Final = msgspec.json.Encoder()


@dataclass(frozen=True)
class Simulated:
    """What a simulation wrote.

    Attributes:
        lines: number of lines of the log.
        kinds: number of lines of each kind; malformed lines are a kind of their own.
        accidents: number of lines that each accident made or changed.
        causes: number of items of questions for which the log differs from the truth, or may
            differ, by cause (see `TruthOfItem.cause`).
        labels: number of items of questions by the label that shoppers and accidents give them in
            the log, and by the true label. What is lost on its way counts as if it were not.
        probabilities: how often each true probability occurs among the items of all questions.
    """

    lines: int
    kinds: Counter[str]
    accidents: Counter[str]
    causes: Counter[str]
    labels: Counter[tuple[int, int]]
    probabilities: Counter[float] = field(repr=False)

    @property
    def best_auc(self) -> float | None:
        """The expected AUC of the best ranking against the true labels; None without questions."""
        return best_auc_of_counts(self.probabilities) if self.probabilities else None

    def wrong(self, label: int) -> float | None:
        """The share of a label in the log, 1 or 0, that is wrong; None if there is no such label.

        Example:
            >>> from io import BytesIO
            >>> made = simulate(Shop(users=50, days=2, plain=True, wrong_yes=0.3), BytesIO())
            >>> round(made.wrong(1), 2), made.wrong(0)
            (0.3, 0.0)
        """
        right, wrong = self.labels[label, label], self.labels[label, 1 - label]
        return wrong / (right + wrong) if right + wrong else None


def simulate(
    shop: Shop, log: IO[bytes], truth: IO[bytes] | None = None, *, events: int | None = None
) -> Simulated:
    r"""Write the event log of a shop, and the truth beside it.

    The same shop gives the same bytes on every machine.

    Args:
        shop: the scenario.
        log: receives the events as JSON lines, in the order of their arrival.
        truth: receives the truth for `read_truth`; None to write none.
        events: approximate number of lines, those of the catalogue included, after which no session
            begins; open sessions still end. None for the whole length of the shop.

    Raises:
        SettingError: if the share of wrong labels that the shop asks for cannot be reached. The
            message names the largest possible share, and nothing is written.

    Example:
        >>> from io import BytesIO
        >>> log = BytesIO()
        >>> made = simulate(Shop(users=20, items=50, days=2, plain=True), log)
        >>> made.lines == log.getvalue().count(b"\n"), made.kinds["item"], made.best_auc > 0.95
        (True, 50, True)
    """
    last = events or _EVER
    if not any((shop.wrong_yes, shop.wrong_no, shop.wrong_yes_of, shop.wrong_no_of)):
        return _Simulation(shop, log, truth).run(last)
    plan, questions = _planned(shop, last)
    return _Simulation(shop, log, truth, plan).run(_EVER, questions)


def _planned(shop: Shop, events: int) -> tuple[Plan, int]:
    """Simulate without writing; return the labels to turn, and after how many questions to end."""
    with Path(os.devnull).open("wb") as nowhere:
        counting = _Simulation(shop, nowhere, None, {})
        counting.run(events)
        if events != _EVER:
            # turned labels add and remove lines, so the log ends with another question
            counting = _Simulation(shop, nowhere, None, counting.plan(strict=False))
            counting.run(events)
        return counting.plan(strict=True), counting.asked if counting.cut else _EVER


class _Simulation:
    """One run.

    Args:
        plan: labels to turn; None if the shop asks for no share of wrong labels.

    Attributes:
        asked: number of questions.
        cut: whether shoppers were left out at the end.
    """

    def __init__(
        self, shop: Shop, log: IO[bytes], truth: IO[bytes] | None, plan: Plan | None = None
    ) -> None:
        self._shop, self._truth = shop, truth
        self._shelf: Shelf = fill(shop)
        self._confusion = None if plan is None else Confusion(shop, self._shelf, plan)
        self._sessions = Sessions(shop, self._shelf)
        self._accidents = Accidents(shop, self._shelf)
        self._arrivals = Arrivals(shop, log, truth)
        self._changes = shop.draws("changes")
        self._numbers: Counter[str] = Counter()
        self._causes: Counter[str] = Counter()
        self._labels: Counter[tuple[int, int]] = Counter()
        self.asked, self.cut = 0, False
        self._probabilities: Counter[float] = Counter()

    def run(self, events: int, questions: int = _EVER) -> Simulated:
        """Write the log until it has so many lines or questions."""
        shop, arrivals = self._shop, self._arrivals
        if self._truth:
            given = without_later(asdict(shop))
            head = TruthOfShop(shop=given, tracking_bug=self._accidents.bug)
            self._truth.write(_TRUTH.encode(head) + b"\n")
        later = len(self._shelf.names) - 1 if shop.new_category else None
        numbers = [n for n, good in enumerate(self._shelf.goods) if good.category != later]
        self._offer(numbers, shop.begin - HOUR)
        for hour in range(shop.begin, shop.end, HOUR):
            if hour % DAY == 0:
                self._dawn(hour, later)
            for asked in self._sessions.hour(hour):
                if arrivals.sent >= events or self.asked >= questions:
                    break
                self._ask(asked)
            arrivals.arrive(hour + HOUR)
            if arrivals.sent >= events or self.asked >= questions:
                self.cut = True
                break
        arrivals.arrive(_EVER)
        kinds, accidents = arrivals.kinds, arrivals.accidents
        return Simulated(
            kinds.total(), kinds, accidents, self._causes, self._labels, self._probabilities
        )

    def plan(self, *, strict: bool) -> Plan:
        """Return the labels to turn in a run with the same questions (see `Confusion.plan`)."""
        return self._confusion.plan(strict=strict) if self._confusion else {}

    def _dawn(self, time: int, later: int | None) -> None:
        """Begin a day: a category may be added, and some items change."""
        shop, shelf, random = self._shop, self._shelf, self._changes.random
        day = (time - shop.begin) // DAY
        self._sessions.dawn(day)
        if later is not None and day == shop.new_category:
            self._offer(shelf.pools[later, ""], time)
        changes = 0
        if shop.changes and day:
            changes = int(shop.changes * len(shelf.goods) + random())
        for _ in range(changes):
            number = int(random() * len(shelf.goods))
            if later is None or day > shop.new_category or shelf.goods[number].category != later:
                shelf.change(number, self._changes)
                self._arrivals.send(shelf.event(number, self._id("item"), time))

    def _offer(self, numbers: list[int], time: int) -> None:
        """Add items to the catalogue, without accidents, so that their questions make samples."""
        for number in numbers:
            event = self._shelf.event(number, self._id("item"), time)
            self._arrivals.send(event, spared=ON_THE_WAY)
            self._arrivals.arrive(time + 1)

    def _ask(self, asked: Asked) -> None:
        accidents = self._accidents.apply(asked)
        if self._confusion:
            accidents = self._confusion.apply(asked, accidents)
        self.asked += 1
        who = {"user_id": f"user-{asked.user + 1}", "session_id": f"session-{asked.session}"}
        bot = "bot" if self._accidents.is_bot(asked.user) else ""
        source = "view" if asked.query is None else "impression"
        # `opened` instead of `view`, which numbers the views among the answers
        event_id = self._id("opened" if asked.query is None else source)
        on_way = self._send_question(asked, event_id, who, bot)
        items = []
        for answer, accident in zip(asked.answers, accidents, strict=True):
            arrived = self._act(answer, accident, who, None if asked.query is None else event_id)
            cause = _cause(answer, accident, arrived, on_way)
            if cause:
                self._causes[cause] += 1
            self._labels[says(answer.deeds), answer.label] += 1
            self._probabilities[answer.probability] += 1
            items.append(TruthOfItem(answer.good.item_id, answer.probability, answer.label, cause))
        if self._truth:
            shown = tuple(items)
            line = TruthOfQuestion(question=event_id, time=asked.time, source=source, items=shown)
            self._truth.write(_TRUTH.encode(line) + b"\n")

    def _send_question(self, asked: Asked, event_id: str, who: dict[str, str], bot: str) -> str:
        """Send a question, after its search; return the accident on its way, or ""."""
        event: dict[str, Any] = {"event_id": event_id, "event_timestamp": asked.time, **who}
        if asked.query is None:
            view = View(**event, item_id=asked.answers[0].good.item_id)
            # subtle: its answers name no impression, so if it were lost they would answer another
            return self._arrivals.send(view, bot, spared=LOSING)
        search = {"event_id": self._id("search"), "event_timestamp": asked.time - 300}
        self._arrivals.send(Search(**event | search, query=asked.query), bot)
        shown = tuple(
            Shown(item_id=answer.good.item_id, position=place)
            for place, answer in enumerate(asked.answers, start=1)
        )
        page = Impression(**event, impression_id=event_id, items=shown, query=asked.query)
        return self._arrivals.send(page, bot)

    def _act(
        self, answer: Answer, accident: str, who: dict[str, Any], impression_id: str | None
    ) -> list[Deed]:
        """Send the deeds about an item; return those that a reader of the log can read."""
        arrived = []
        for kind, time in answer.deeds:
            what = {
                "event_timestamp": time,
                "item_id": answer.good.item_id,
                "impression_id": impression_id,
                **who,
            }
            if kind is Purchase:
                what |= {"quantity": 1.0, "price": answer.good.price}
            elif kind is Return:
                what["quantity"] = 1.0
            event = kind(event_id=self._id(kind.__name__.lower()), **what)
            if self._arrivals.send(event, accident) != "malformed":
                arrived.append((kind, time))
        return arrived

    def _id(self, kind: str) -> str:
        self._numbers[kind] += 1
        return f"{kind}-{self._numbers[kind]}"


def _cause(answer: Answer, accident: str, arrived: list[Deed], on_way: str) -> str:
    """Why the log differs, or may differ, from the shopper's true answer; "" if it agrees."""
    if on_way == "malformed" or (on_way == "late" and answer.deeds):
        return "lost"
    meant, logged = says(answer.deeds), says(arrived)
    if logged == answer.label:
        return ""
    return "lost" if logged != meant else accident or "unseen"
