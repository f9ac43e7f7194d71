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
_QUESTION_ID: Final = uuids_of("question")  # makes the id of a question from its event id
_PLACE: Final = attrgetter("time", "event_id")  # the order of a shopper's questions
# A history keeps this many times `history_length` entries, because items may repeat in it.
_KEPT: Final = 4


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
        self._weighs = settings.objectives.propensity_cap > 0
        self._purchases_ask = settings.join.questions == "purchases"
        self._asking = frozenset(
            {Purchase, Labelled} if self._purchases_ask else {Impression, View, Labelled}
        )
        self._answering = frozenset({Return}) if self._purchases_ask else _OUTCOMES
        # subtle: a revision window shorter than the label window must neither forget a question
        # before it closes nor call an outcome of its first label late
        self._revisable = max(settings.join.revision_window, settings.join.label_window)

    def is_question(self, event: object) -> bool:
        """Whether this event asks a question.

        An impression asks, and so does a view that names no impression. Where the setting
        `questions` is `purchases`, purchases ask instead. A labelled text always asks, and brings
        its answer.
        """
        kind = type(event)
        named = kind is View and event.impression_id  # type: ignore[attr-defined]
        return kind in self._asking and not named

    def is_outcome(self, event: object) -> bool:
        """Whether this event may answer a question."""
        return type(event) in self._answering

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
        """Close or forget a question whose deadline the watermark has passed.

        Args:
            deadline: due time, `CLOSE` or `FORGET`, pseudonym of the shopper, and the time and
                the event id of the question.

        Returns:
            The samples of a question that closes; nothing for one that is forgotten.
        """
        _, action, user_id, time, event_id = deadline
        user = self.state.users[user_id]
        place = bisect_left(user.questions, (time, event_id), key=_PLACE)
        if action == CLOSE:
            return self._close(user.questions[place], user_id, user)
        del user.questions[place]
        return ()

    def sweep(self, watermark: int) -> None:
        """Drop the shoppers whose past can no longer be part of any text.

        This frees memory and changes no sample.
        """
        windows = self._settings.join
        # the label window too, because `_query` looks that far back
        oldest = watermark - max(windows.history_window, windows.label_window)
        users = self.state.users
        gone = [
            key for key, user in users.items() if not user.questions and _last_seen(user) < oldest
        ]
        for user_id in gone:
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
        places = _places(shown) if shown else {}
        question = Question(
            question_id=_QUESTION_ID(event_id),
            event_id=event_id,
            time=time,
            source=_KINDS[type(event)],
            items=list(places) if shown else [event.item_id],  # type: ignore[union-attr]
            positions=list(places.values()),
            propensities=_propensities(shown) if shown and self._weighs else [],
            impression_id=shown.impression_id if shown else "",
            session=event.session_id or "",
            query=(shown.query or "") if shown else "",
        )
        questions.insert(place, question)
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
        question.history = self._history(question, user)
        question.query = question.query or self._query(question, user)
        return self._maker.first(question, user_id, self.state.counts)

    def _labelled(self, event: Labelled) -> Sample:
        self.state.counts["open"] -= 1
        self.state.counts["answered"] += 1
        number = self._classes[event.label]
        return labelled_sample(event, event.user_id, number, self._settings.objectives)

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
            session = event.session_id or ""
            insort(user.searches, (event.event_timestamp, event.event_id, session, event.query))
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
        # questions are sorted by time, so the first open one is the oldest
        open_since = (question.time for question in user.questions if not question.closed)
        before = bisect_left(entries, (min(next(open_since, now), now),))
        del entries[: max(before - keep, 0)]


def _places(shown: Impression) -> dict[str, int]:
    """The items of an impression, each once, with their positions.

    An item without a position of its own has the position that it takes in the list.
    """
    found: dict[str, int] = {}
    for place, item in enumerate(shown.items, start=1):
        found.setdefault(item.item_id, item.position or place)
    return found


def _propensities(shown: Impression) -> list[float]:
    """The propensities of the items of an impression, each once; 1 where the log has none."""
    found: dict[str, float] = {}
    for item in shown.items:
        found.setdefault(item.item_id, item.propensity or 1.0)
    return list(found.values())


def _last_seen(user: UserState) -> int:
    return max((entries[-1][0] for entries in (user.history, user.searches) if entries), default=-1)
