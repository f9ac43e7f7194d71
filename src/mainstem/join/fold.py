"""The fold in event time order: questions open, are answered, close and are forgotten.

The joiner passes on events and deadlines only once the watermark has passed them, earliest first.
So within `grace` the order of arrival does not matter. Other shoppers' events do not matter either,
because only a shopper's own events and deadlines change the state of that shopper. That is why
every partitioning gives the same samples.
"""

import heapq
from bisect import bisect_left, insort
from collections.abc import Sequence
from operator import attrgetter
from typing import Final

from mainstem.events import Cart, Click, Impression, Labelled, Purchase, Return, Search, View
from mainstem.ids import uuids_of
from mainstem.join.catalogue import Catalogue
from mainstem.join.counted import Counted, places_of
from mainstem.join.labelled import labelled_sample
from mainstem.join.making import SampleMaker, position_of
from mainstem.join.past import TOUCHES, Past
from mainstem.join.sample import Sample
from mainstem.join.state import JoinState, Question, UserState
from mainstem.settings import Settings

__all__ = ["CLOSE", "FORGET", "Fold"]

CLOSE: Final = 0
FORGET: Final = 1
_KINDS: Final = {
    kind: kind.__name__.lower() for kind in (Impression, View, Click, Cart, Purchase, Return)
}
_QUESTION_ID: Final = uuids_of("question")  # makes the id of a question from its event id
_PLACE: Final = attrgetter("time", "event_id")  # the order of a shopper's questions


class Fold:
    """Applies events and deadlines to a `JoinState`, in event time order."""

    def __init__(self, state: JoinState, settings: Settings, catalogue: Catalogue) -> None:
        self.state = state
        self._settings = settings
        self._maker = SampleMaker(settings, catalogue)
        self._past = Past(settings.join)
        self._counted = Counted(state.open_hour, self._past, settings.join)
        self._classes = {
            name: number for number, name in enumerate(settings.objectives.class_names)
        }
        self._label_window = settings.join.label_window
        self._weighs = settings.objectives.propensity_cap > 0
        self._purchases_ask = settings.join.questions == "purchases"
        asking = {Purchase} if self._purchases_ask else {Impression, View}
        answering = {Return} if self._purchases_ask else {Click, Cart, Purchase, Return}
        self._roles: dict[type, str] = {
            **dict.fromkeys(asking | {Labelled}, "question"),
            **dict.fromkeys(answering, "outcome"),
        }
        # subtle: a revision window shorter than the label window must neither forget a question
        # before it closes nor call an outcome of its first label late
        self._revisable = max(settings.join.revision_window, settings.join.label_window)

    def role_of(self, event: object) -> str:
        """What an event is to the ledger: a `question`, an `outcome` or `context`.

        An impression asks, and so does a view that names no impression. Where the setting
        `questions` is `purchases`, purchases ask instead. A labelled text always asks, and brings
        its answer. An outcome may answer a question.
        """
        kind = type(event)
        if kind is View and event.impression_id:  # type: ignore[attr-defined]
            return "context"
        return self._roles.get(kind, "context")

    def is_question(self, event: object) -> bool:
        """Whether this event asks a question."""
        return self.role_of(event) == "question"

    def is_outcome(self, event: object) -> bool:
        """Whether this event may answer a question."""
        return self.role_of(event) == "outcome"

    def class_of(self, event: Labelled) -> int | None:
        """Number of the class that a label names; None if the settings name no such class."""
        return self._classes.get(event.label)

    def happen(
        self, event: Search | Impression | View | Click | Cart | Purchase | Return | Labelled
    ) -> Sequence[Sample]:
        """Fold in one event that the watermark has passed.

        Args:
            event: the event, with pseudonyms in place of its user and session ids.

        Returns:
            The samples that get their first label or a revised one from this event.
        """
        kind = type(event)
        if kind is Labelled:
            return (self._labelled(event),)  # type: ignore[arg-type]  # by its kind
        user = self.state.users.get(event.user_id)
        if user is None:
            user = self.state.users[event.user_id] = UserState()
        made: Sequence[Sample] = ()
        role = self.role_of(event)
        if role == "outcome":
            made = self._answer(event, user)  # type: ignore[arg-type]  # likewise
        elif role == "question":
            self._open(event, user)  # type: ignore[arg-type]  # likewise
        else:
            self._counted.context(event, user)
        if kind in TOUCHES:
            self._past.touch(event, user)  # type: ignore[arg-type]  # likewise
        elif kind is Search:
            self._past.search(event, user)  # type: ignore[arg-type]  # likewise
        return made

    def act(self, deadline: tuple[int, int, str, int, str]) -> Sequence[Sample]:
        """Close or forget a question whose deadline the watermark has passed.

        Args:
            deadline: due time, `CLOSE` or `FORGET`, pseudonym of the shopper, and the time and
                the event id of the question.

        Returns:
            The samples of a question that closes; nothing for one that is forgotten.
        """
        _, action, user_id, time, event_id = deadline
        user = self.state.users[user_id]
        place = 0  # as usual for a question that is forgotten
        if _PLACE(user.questions[0]) != (time, event_id):
            place = bisect_left(user.questions, (time, event_id), key=_PLACE)
        if action == CLOSE:
            return self._close(user.questions[place], user_id, user)
        del user.questions[place]
        return ()

    def sweep(self, watermark: int) -> None:
        """Drop the shoppers whose past can no longer be part of any text.

        This frees memory and changes no sample.
        """
        users, is_over = self.state.users, self._past.is_over
        for user_id in [key for key, user in users.items() if is_over(user, watermark)]:
            del users[user_id]

    def _open(self, event: Impression | View | Purchase, user: UserState) -> None:
        time, event_id = key = (event.event_timestamp, event.event_id)
        counts, questions = self.state.counts, user.questions
        place = len(questions)
        if questions and _PLACE(questions[-1]) >= key:  # rare: most questions are the newest
            place = bisect_left(questions, key, key=_PLACE)
        if place < len(questions) and _PLACE(questions[place]) == key:
            # the event was repeated after `dedupe_horizon`
            counts["question"] -= 1
            counts["open"] -= 1
            counts["duplicate"] += 1
            return
        shown = event if type(event) is Impression else None
        places = places_of(shown) if shown else {}
        question = Question(
            question_id=_QUESTION_ID(event_id),
            event_id=event_id,
            time=time,
            source=_KINDS[type(event)],
            items=list(places) if shown else [event.item_id],  # type: ignore[union-attr]
            positions=list(places.values()) if shown else None,
            propensities=_propensities(shown) if shown and self._weighs else None,
            impression_id=shown.impression_id if shown else "",
            session=event.session_id or "",
            query=(shown.query or "") if shown else "",
        )
        questions.insert(place, question)
        self._counted.question(event, question, user)
        deadlines, user_id = self.state.deadlines, event.user_id
        heapq.heappush(deadlines, (time + self._label_window, CLOSE, user_id, time, event_id))
        # subtle: a question is kept for twice the revision window, so that an outcome after the
        # window counts as `late` and not as `orphaned`
        forget_at = time + 2 * self._revisable
        heapq.heappush(deadlines, (forget_at, FORGET, user_id, time, event_id))

    def _answer(self, event: Click | Cart | Purchase | Return, user: UserState) -> Sequence[Sample]:
        counts = self.state.counts
        counts["parked"] -= 1
        question = self._question_of(event, user)
        if question is None:
            counts["orphaned"] += 1
            self._counted.outcome(event, user)
            return ()
        delay = event.event_timestamp - question.time
        answers = question.answers.setdefault(event.item_id, [])
        repeated = event.event_id in [event_id for _, event_id, _ in answers]
        if not repeated:
            position = position_of(question, event.item_id)
            self._counted.outcome(event, user, question.query_key, position)
        if repeated or delay > self._revisable:
            counts["outcome"] -= 1
            counts["duplicate" if repeated else "late"] += 1
            return ()
        insort(answers, (event.event_timestamp, event.event_id, _KINDS[type(event)]))
        if delay > self._label_window:
            counts["revised"] += 1
        else:
            counts["joined"] += 1
            self._settle(question)
        if not question.closed:
            return ()
        return self._maker.revised(question, event.user_id, counts, event.item_id)

    def _settle(self, question: Question) -> None:
        # subtle: an outcome of the label window answers its question even if it comes after the
        # question closed
        if question.closed and not question.answered:
            self.state.counts["expired"] -= 1
            self.state.counts["answered"] += 1
        question.answered = True

    def _question_of(
        self, event: Click | Cart | Purchase | Return, user: UserState
    ) -> Question | None:
        for question in reversed(user.questions):
            if question.time > event.event_timestamp or event.item_id not in question.items:
                continue
            named = event.impression_id
            if self._purchases_ask or named is None or named == question.impression_id:
                return question
        return None

    def _close(self, question: Question, user_id: str, user: UserState) -> list[Sample]:
        question.closed = True
        question.answered |= question.source == "purchase"
        self.state.counts["open"] -= 1
        self.state.counts["answered" if question.answered else "expired"] += 1
        question.history = self._past.history(user, question.time)
        if not question.query:
            question.query = self._past.query(user, question.session, question.time)
        return self._maker.first(question, user_id, self.state.counts, user.touched)

    def _labelled(self, event: Labelled) -> Sample:
        self.state.counts["open"] -= 1
        self.state.counts["answered"] += 1
        number = self._classes[event.label]
        return labelled_sample(event, event.user_id, number, self._settings.objectives)


def _propensities(shown: Impression) -> list[float]:
    """The propensities of the items of an impression, each once; 1 where the log has none."""
    found: dict[str, float] = {}
    for item in shown.items:
        found.setdefault(item.item_id, item.propensity or 1.0)
    return list(found.values())
