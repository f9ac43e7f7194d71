"""What a closed question becomes: one sample for each item it asked about, and for each drawn negative."""

from typing import TypeAlias

from mainstem.ids import uuids_of
from mainstem.join.catalogue import Catalogue
from mainstem.join.sample import Sample
from mainstem.join.state import Question
from mainstem.join.text import context_text
from mainstem.objectives import targets_of
from mainstem.settings import Settings

__all__ = ["SampleMaker"]

_Shown: TypeAlias = tuple[str, float | None, int]
"""An item of a question, the probability that it was drawn (None of one that was not), its position (0 for none)."""


class SampleMaker:
    """Makes samples of questions, with the texts that the catalogue had when they were asked."""

    def __init__(self, settings: Settings, catalogue: Catalogue) -> None:
        self._settings = settings
        self._catalogue = catalogue

    def first(self, question: Question, user: str, counts: dict[str, int]) -> list[Sample]:
        """Samples of all items of a question that closes, and of its drawn negatives.

        Args:
            question: with its history and query read.
            user: pseudonym of the shopper.
            counts: of the ledger; `unknown_item` grows by the items that the catalogue did not know.
        """
        shown: list[_Shown] = [
            (item_id, None, _position(question, place))
            for place, item_id in enumerate(question.items)
        ]
        if question.source == "purchase":
            settings, asked = self._settings, question.items[0]
            drawn = self._catalogue.draw(
                settings.run.seed, question.event_id, asked, question.time, settings.join.negatives
            )
            shown += [(item_id, probability, 0) for item_id, probability in drawn]
        return self._made(question, user, counts, shown)

    def revised(
        self, question: Question, user: str, counts: dict[str, int], item_id: str
    ) -> list[Sample]:
        """The sample of one item of a closed question, with one outcome more; none where the item is not known."""
        return self._made(
            question,
            user,
            counts,
            [(item_id, None, _position(question, question.items.index(item_id)))],
        )

    def _made(
        self, question: Question, user: str, counts: dict[str, int], shown: list[_Shown]
    ) -> list[Sample]:
        time, query, history, answers = (
            question.time,
            question.query,
            tuple(question.history),
            question.answers,
        )
        question_id, source, bought = (
            question.question_id,
            question.source,
            question.source == "purchase",
        )
        context = context_text(query, self._catalogue.titles_as_of(history, time))
        sample_id_of = uuids_of("sample", question.event_id)
        made = []
        for item_id, probability, position in shown:
            described = self._catalogue.described_as_of(item_id, time)
            if described is None:
                counts["unknown_item"] += 1
                continue
            item, text, band = described
            outcomes: tuple[str, ...] = ()
            if probability is None and item_id in answers:
                outcomes = tuple([kind for _, _, kind in answers[item_id]])
            targets = targets_of(outcomes, bought=bought and probability is None)
            sample = Sample(
                sample_id_of(item_id),
                len(outcomes),
                question_id,
                time,
                user,
                source if probability is None else "drawn",
                outcomes,
                int(targets[0]),
                1.0,
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
            )
            made.append(sample)
        return made


def _position(question: Question, place: int) -> int:
    return question.positions[place] if question.positions else 0
