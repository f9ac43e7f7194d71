"""What happens in event time, in order: questions open, are answered, close and are forgotten.

The joiner lets events and deadlines in here only once the watermark has passed them, earliest first. So within `grace`
the order of arrival cannot matter, and neither can other shoppers' events: the state of one shopper is touched by that
shopper's events and deadlines alone. That is why every partitioning gives the same samples.
"""

import heapq
from bisect import bisect_left, insort
from collections.abc import Sequence
from operator import attrgetter
from typing import Any, Final

from mainstem.events import Cart, Click, Impression, Labelled, Purchase, Return, Search, View
from mainstem.ids import uuids_of
from mainstem.join.catalogue import Catalogue
from mainstem.join.labelled import labelled_sample
from mainstem.join.making import SampleMaker
from mainstem.join.sample import Sample
from mainstem.join.state import JoinState, Question, UserState
from mainstem.settings import Settings

__all__ = ["CLOSE", "FORGET", "Fold"]

CLOSE: Final = 0
FORGET: Final = 1
_OUTCOMES: Final = frozenset({Click, Cart, Purchase, Return})
_TOUCHES: Final = frozenset({View, Click, Cart, Purchase})
_KINDS: Final = {
    kind: kind.__name__.lower() for kind in (Impression, View, Click, Cart, Purchase, Return)
}
_QUESTION_ID: Final = uuids_of("question")  # of an event id
_PLACE: Final = attrgetter("time", "event_id")  # of a question
_KEPT: Final = 4  # times `history_length`: what is kept of a history, so that repeats of an item leave enough others


class Fold:
    """Applies events and deadlines to a `JoinState`, in event time order."""

    def __init__(self, state: JoinState, settings: Settings, catalogue: Catalogue) -> None:
        self.state = state
        self._settings = settings
        self._maker = SampleMaker(settings, catalogue)
        self._kept = _KEPT * max(settings.join.history_length, 1)
        self._classes = {
            name: number for number, name in enumerate(settings.objectives.class_names)
        }
        self._label_window = settings.join.label_window
        self._purchases_ask = settings.join.questions == "purchases"
        self._asking = frozenset(
            {Purchase, Labelled} if self._purchases_ask else {Impression, View, Labelled}
        )
        self._answering = frozenset({Return}) if self._purchases_ask else _OUTCOMES
        # subtle: a revision window shorter than the label window must neither forget a question before it closes nor
        # call the outcomes of its first label late
        self._revisable = max(settings.join.revision_window, settings.join.label_window)

    def is_question(self, event: object) -> bool:
        """Whether this event asks: an impression, a view that came from none, or a purchase where purchases ask.

        A labelled text always does, and brings its answer.
        """
        kind = type(event)
        return kind in self._asking and not (kind is View and event.impression_id)  # type: ignore[attr-defined]

    def is_outcome(self, event: object) -> bool:
        """Whether this event may answer a question."""
        return type(event) in self._answering

    def class_of(self, event: Labelled) -> int | None:
        """The number of the class that a label names; None where the settings know none of this name."""
        return self._classes.get(event.label)

    def happen(
        self, event: Search | Impression | View | Click | Cart | Purchase | Return | Labelled
    ) -> Sequence[Sample]:
        """Let one event happen; gives the samples whose label it gives or revises."""
        if type(event) is Labelled:
            return (self._labelled(event),)
        user = self.state.users.get(event.user_id)
        if user is None:
            user = self.state.users[event.user_id] = UserState()
        made: Sequence[Sample] = ()
        if self.is_question(event):
            self._open(event, user)  # type: ignore[arg-type]  # is_question says which kinds
        elif self.is_outcome(event):
            made = self._answer(event, user)  # type: ignore[arg-type]
        self._remember(event, user)
        return made

    def act(self, deadline: tuple[int, int, str, int, str]) -> Sequence[Sample]:
        """Close or forget a question whose time has come; closing gives its samples."""
        _, action, user_id, time, event_id = deadline
        user = self.state.users[user_id]
        place = bisect_left(user.questions, (time, event_id), key=_PLACE)
        if action == CLOSE:
            return self._close(user.questions[place], user_id, user)
        del user.questions[place]
        return ()

    def sweep(self, watermark: int) -> None:
        """Drop the shoppers of whom nothing can be in a text any more. Changes no sample, only memory."""
        oldest = watermark - max(
            self._settings.join.history_window, self._settings.join.label_window
        )  # as far as `_query` looks
        users = self.state.users
        for user_id in [
            key for key, user in users.items() if not user.questions and _last_seen(user) < oldest
        ]:
            del users[user_id]

    def _open(self, event: Impression | View | Purchase, user: UserState) -> None:
        key, counts, questions = (
            (event.event_timestamp, event.event_id),
            self.state.counts,
            user.questions,
        )
        place = len(questions)
        if questions and _PLACE(questions[-1]) >= key:  # few come late
            place = bisect_left(questions, key, key=_PLACE)
        if (
            place < len(questions) and _PLACE(questions[place]) == key
        ):  # an id repeated beyond the horizon
            counts["question"] -= 1
            counts["open"] -= 1
            counts["duplicate"] += 1
            return
        shown = event if type(event) is Impression else None
        places = _places(shown) if shown else {}
        question = Question(
            question_id=_QUESTION_ID(event.event_id),
            event_id=event.event_id,
            time=event.event_timestamp,
            source=_KINDS[type(event)],
            items=list(places) if shown else [event.item_id],  # type: ignore[union-attr]
            positions=list(places.values()),
            impression_id=shown.impression_id if shown else "",
            session=event.session_id or "",
            query=(shown.query or "") if shown else "",
        )
        questions.insert(place, question)
        time, event_id = key
        heapq.heappush(
            self.state.deadlines, (time + self._label_window, CLOSE, event.user_id, time, event_id)
        )
        # subtle: kept for twice the window, so that an outcome after it is `late` and not `orphaned`
        heapq.heappush(
            self.state.deadlines,
            (time + 2 * self._revisable, FORGET, event.user_id, time, event_id),
        )

    def _answer(self, event: Click | Cart | Purchase | Return, user: UserState) -> Sequence[Sample]:
        counts = self.state.counts
        counts["parked"] -= 1
        question = self._question_of(event, user)
        if question is None:
            counts["orphaned"] += 1
            return ()
        delay = event.event_timestamp - question.time
        answers = question.answers.setdefault(event.item_id, [])
        repeated = any(event_id == event.event_id for _, event_id, _ in answers)
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
        return (
            self._maker.revised(question, event.user_id, counts, event.item_id)
            if question.closed
            else ()
        )

    def _settle(self, question: Question) -> None:
        """An outcome inside the label window answers the question, even one that comes after it closed."""
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
            if (
                self._purchases_ask
                or event.impression_id is None
                or event.impression_id == question.impression_id
            ):
                return question
        return None

    def _close(self, question: Question, user_id: str, user: UserState) -> list[Sample]:
        question.closed = True
        question.answered |= question.source == "purchase"
        self.state.counts["open"] -= 1
        self.state.counts["answered" if question.answered else "expired"] += 1
        question.history = self._history(question, user)
        question.query = question.query or self._query(question, user)
        return self._maker.first(question, user_id, self.state.counts)

    def _labelled(self, event: Labelled) -> Sample:
        self.state.counts["open"] -= 1
        self.state.counts["answered"] += 1
        return labelled_sample(event, event.user_id, self._classes[event.label])

    def _history(self, question: Question, user: UserState) -> list[str]:
        """Distinct items the shopper touched strictly before the question, newest first."""
        length, touched = self._settings.join.history_length, user.history
        before = bisect_left(touched, (question.time,))
        oldest = question.time - self._settings.join.history_window
        found: dict[str, None] = {}
        for time, _, item_id in reversed(touched[max(before - _KEPT * length, 0) : before]):
            if time < oldest or len(found) == length:
                break
            found[item_id] = None
        return list(found)

    def _query(self, question: Question, user: UserState) -> str:
        """The newest search of the question's session, no older than the label window."""
        oldest = question.time - self._settings.join.label_window
        for time, _, session, query in reversed(user.searches):
            if oldest <= time <= question.time and session == question.session:
                return query
        return ""

    def _remember(self, event: Any, user: UserState) -> None:
        if type(event) is Search:
            insort(
                user.searches,
                (event.event_timestamp, event.event_id, event.session_id or "", event.query),
            )
            self._prune(user.searches, event.event_timestamp, user)
        elif type(event) in _TOUCHES:
            insort(user.history, (event.event_timestamp, event.event_id, event.item_id))
            self._prune(user.history, event.event_timestamp, user)

    def _prune(
        self,
        entries: list[tuple[int, str, str]] | list[tuple[int, str, str, str]],
        now: int,
        user: UserState,
    ) -> None:
        keep = self._kept
        if len(entries) <= 2 * keep:
            return
        oldest_open = next(
            (question.time for question in user.questions if not question.closed), now
        )  # sorted by time
        before = bisect_left(entries, (min(oldest_open, now),))
        del entries[: max(before - keep, 0)]


def _places(shown: Impression) -> dict[str, int]:
    """The items of an impression, each once, with their positions: in the list where none is told."""
    found: dict[str, int] = {}
    for place, item in enumerate(shown.items, start=1):
        found.setdefault(item.item_id, item.position or place)
    return found


def _last_seen(user: UserState) -> int:
    return max((entries[-1][0] for entries in (user.history, user.searches) if entries), default=-1)
