"""Turns a closed question into samples: one for each of its items and for each drawn negative."""

from typing import TypeAlias

from mainstem.ids import uuids_of
from mainstem.join.catalogue import Catalogue
from mainstem.join.past import NOTHING, own_between
from mainstem.join.sample import Sample
from mainstem.join.state import Question
from mainstem.join.text import context_text
from mainstem.objectives import answered
from mainstem.settings import Settings

__all__ = ["SampleMaker", "position_of"]

_Shown: TypeAlias = tuple[str, float | None, int]
"""An item id, the probability that it was drawn (None if not drawn), its position (0 if none)."""


class SampleMaker:
    """Makes samples from questions, with the texts that items had at the questions' time."""

    def __init__(self, settings: Settings, catalogue: Catalogue) -> None:
        self._settings = settings
        self._catalogue = catalogue
        self._objectives = settings.objectives.objective_names
        self._propensity_cap = settings.objectives.propensity_cap

    def first(
        self,
        question: Question,
        user: str,
        counts: dict[str, int],
        touched: dict[str, bytes],
    ) -> list[Sample]:
        """Make the samples of a question that closes, those of its drawn negatives included.

        Args:
            question: the question; its history and query must be filled in, and `own` is filled
                in here.
            user: pseudonym of the shopper.
            counts: counts of the ledger. An item that the catalogue did not know at the
                question's time gives no sample and adds one to `unknown_item`.
            touched: touches of each item by the shopper, as a `UserState` holds them.
        """
        positions = question.positions or [0]
        shown: list[_Shown] = [
            (item_id, None, position)
            for item_id, position in zip(question.items, positions, strict=True)
        ]
        if question.source == "purchase":
            drawn = self._catalogue.draw(
                self._settings.run.seed,
                question.event_id,
                question.items[0],
                question.time,
                self._settings.join.negatives,
            )
            shown += [(item_id, probability, 0) for item_id, probability in drawn]
        if touched:
            oldest = question.time - self._settings.join.history_window
            question.own = {
                item_id: own
                for item_id, _, _ in shown
                if item_id in touched
                and (own := own_between(touched[item_id], oldest, question.time))
            } or None
        return self._made(question, user, counts, shown)

    def revised(
        self, question: Question, user: str, counts: dict[str, int], item_id: str
    ) -> list[Sample]:
        """Make the sample of one item of a closed question again, after it got another outcome.

        The list is empty if the catalogue did not know the item at the question's time.
        """
        position = position_of(question, item_id)
        return self._made(question, user, counts, [(item_id, None, position)])

    def _made(
        self, question: Question, user: str, counts: dict[str, int], shown: list[_Shown]
    ) -> list[Sample]:
        time, query, answers = question.time, question.query, question.answers
        question_id, source = question.question_id, question.source
        history = tuple(question.history)
        context, history_price = self._context(query, history, time)
        own, shown_with = question.own, question.propensities
        sample_id_of = uuids_of("sample", question.event_id)
        described_as_of, objectives = self._catalogue.described_as_of, self._objectives
        made = []
        for item_id, probability, position in shown:
            described = described_as_of(item_id, time)
            if described is None:
                counts["unknown_item"] += 1
                continue
            item, text, band, known_since = described
            outcomes: tuple[str, ...] = ()
            if answers and probability is None and item_id in answers:
                outcomes = tuple([kind for _, _, kind in answers[item_id]])
            touches, purchases, since = own.get(item_id, NOTHING) if own else NOTHING
            kind = source if probability is None else "drawn"
            targets, label = answered(outcomes, kind, objectives)
            # by position, because naming the fields takes five times as long, and nothing else is
            # made as often
            sample = Sample(
                sample_id_of(item_id),
                len(outcomes),
                question_id,
                time,
                user,
                kind,
                outcomes,
                label,
                self._weight(shown_with[question.items.index(item_id)]) if shown_with else 1.0,
                1.0 if probability is None else probability,
                query,
                history,
                item_id,
                item.category or "",
                item.brand or "",
                band,
                context,
                text,
                targets,
                position,
                item.price or 0.0,
                history_price,
                time - known_since,
                touches,
                purchases,
                since,
            )
            made.append(sample)
        return made

    def _context(self, query: str, history: tuple[str, ...], time: int) -> tuple[str, float]:
        """The context text of a question, and the mean price of its history."""
        known, titles, prices = self._catalogue.described_as_of, [], []
        for item_id in history:
            if described := known(item_id, time):
                item = described.item
                titles.append(item.title)
                if item.price:
                    prices.append(item.price)
        return context_text(query, titles), sum(prices) / len(prices) if prices else 0.0

    def _weight(self, propensity: float) -> float:
        """The inverse of the propensity with which an item was shown, up to the cap."""
        return min(1 / propensity, self._propensity_cap)


def position_of(question: Question, item_id: str) -> int:
    """The position of an item in the impression of a question; 0 if there was none."""
    return question.positions[question.items.index(item_id)] if question.positions else 0
