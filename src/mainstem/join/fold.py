"""What happens in event time, in order: questions open, are answered, close and are forgotten.

The joiner lets events and deadlines in here only once the watermark has passed them, earliest first. So within `grace`
the order of arrival cannot matter, and neither can other shoppers' events: the state of one shopper is touched by that
shopper's events and deadlines alone. That is why every partitioning gives the same samples.
"""

import heapq
from bisect import bisect_left, insort
from collections.abc import Iterator
from typing import Any, Final

from mainstem.events import Cart, Click, Impression, Labelled, Purchase, Return, Search, View
from mainstem.ids import uuid_of
from mainstem.join.catalogue import Catalogue
from mainstem.join.sample import Sample
from mainstem.join.state import JoinState, Question, UserState
from mainstem.join.text import context_text
from mainstem.settings import Settings

__all__ = ["CLOSE", "FORGET", "Fold"]

CLOSE: Final = 0
FORGET: Final = 1
_OUTCOMES: Final = frozenset({Click, Cart, Purchase, Return})
_TOUCHES: Final = frozenset({View, Click, Cart, Purchase})
_KEPT: Final = 4  # times `history_length`: what is kept of a history, so that repeats of an item leave enough others


class Fold:
    """Applies events and deadlines to a `JoinState`, in event time order."""

    def __init__(self, state: JoinState, settings: Settings, catalogue: Catalogue) -> None:
        self.state = state
        self._settings = settings
        self._catalogue = catalogue
        self._classes = {name: number for number, name in enumerate(settings.class_names)}
        self._purchases_ask = settings.questions == "purchases"
        # subtle: a revision window shorter than the label window must neither forget a question before it closes nor
        # call the outcomes of its first label late
        self._revisable = max(settings.revision_window, settings.label_window)

    def is_question(self, event: object) -> bool:
        """Whether this event asks: an impression, a view that came from none, or a purchase where purchases ask.

        A labelled text always does, and brings its answer.
        """
        kind = type(event)
        if kind is Labelled:
            return True
        if self._purchases_ask:
            return kind is Purchase
        return kind is Impression or (kind is View and not event.impression_id)  # type: ignore[attr-defined]

    def is_outcome(self, event: object) -> bool:
        """Whether this event may answer a question."""
        return type(event) is Return if self._purchases_ask else type(event) in _OUTCOMES

    def class_of(self, event: Labelled) -> int | None:
        """The number of the class that a label names; None where the settings know none of this name."""
        return self._classes.get(event.label)

    def happen(self, event: Search | Impression | View | Click | Cart | Purchase | Return | Labelled) -> Iterator[Sample]:
        """Let one event happen; yields the samples whose label it gives or revises."""
        if type(event) is Labelled:
            yield self._labelled(event)
            return
        user = self.state.users.setdefault(event.user_id, UserState())
        if self.is_question(event):
            self._open(event, user)  # type: ignore[arg-type]  # is_question says which kinds
        elif self.is_outcome(event):
            yield from self._answer(event, user)  # type: ignore[arg-type]
        self._remember(event, user)

    def act(self, deadline: tuple[int, int, str, int, str]) -> Iterator[Sample]:
        """Close or forget a question whose time has come; closing yields its samples."""
        _, action, user_id, time, event_id = deadline
        user = self.state.users[user_id]
        place = bisect_left(user.questions, (time, event_id), key=_place)
        if action == FORGET:
            del user.questions[place]
        else:
            yield from self._close(user.questions[place], user_id, user)

    def sweep(self, watermark: int) -> None:
        """Drop the shoppers of whom nothing can be in a text any more. Changes no sample, only memory."""
        oldest = watermark - max(self._settings.history_window, self._settings.label_window)  # as far as `_query` looks
        users = self.state.users
        for user_id in [key for key, user in users.items() if not user.questions and _last_seen(user) < oldest]:
            del users[user_id]

    def _open(self, event: Impression | View | Purchase, user: UserState) -> None:
        key, counts = (event.event_timestamp, event.event_id), self.state.counts
        place = bisect_left(user.questions, key, key=_place)
        if place < len(user.questions) and _place(user.questions[place]) == key:  # an id repeated beyond the horizon
            counts["question"] -= 1
            counts["open"] -= 1
            counts["duplicate"] += 1
            return
        shown = [item.item_id for item in event.items] if isinstance(event, Impression) else [event.item_id]
        question = Question(
            question_id=uuid_of("question", event.event_id),
            event_id=event.event_id,
            time=event.event_timestamp,
            source=type(event).__name__.lower(),
            items=list(dict.fromkeys(shown)),
            impression_id=event.impression_id or "" if isinstance(event, Impression) else "",
            session=event.session_id or "",
            query=event.query or "" if isinstance(event, Impression) else "",
        )
        user.questions.insert(place, question)
        for action, end in ((CLOSE, self._settings.label_window), (FORGET, 2 * self._revisable)):
            # subtle: kept for twice the window, so that an outcome after it is `late` and not `orphaned`
            heapq.heappush(self.state.deadlines, (question.time + end, action, event.user_id, *key))

    def _answer(self, event: Click | Cart | Purchase | Return, user: UserState) -> Iterator[Sample]:
        counts = self.state.counts
        counts["parked"] -= 1
        question = self._question_of(event, user)
        if question is None:
            counts["orphaned"] += 1
            return
        delay = event.event_timestamp - question.time
        answers = question.answers.setdefault(event.item_id, [])
        repeated = any(event_id == event.event_id for _, event_id, _ in answers)
        if repeated or delay > self._revisable:
            counts["outcome"] -= 1
            counts["duplicate" if repeated else "late"] += 1
            return
        insort(answers, (event.event_timestamp, event.event_id, type(event).__name__.lower()))
        if delay > self._settings.label_window:
            counts["revised"] += 1
        else:
            counts["joined"] += 1
            self._settle(question)
        if question.closed:
            yield from self._sample(question, event.user_id, event.item_id, self._context(question))

    def _settle(self, question: Question) -> None:
        """An outcome inside the label window answers the question, even one that comes after it closed."""
        if question.closed and not question.answered:
            self.state.counts["expired"] -= 1
            self.state.counts["answered"] += 1
        question.answered = True

    def _question_of(self, event: Click | Cart | Purchase | Return, user: UserState) -> Question | None:
        for question in reversed(user.questions):
            if question.time > event.event_timestamp or event.item_id not in question.items:
                continue
            if self._purchases_ask or event.impression_id in {None, question.impression_id}:
                return question
        return None

    def _close(self, question: Question, user_id: str, user: UserState) -> Iterator[Sample]:
        question.closed = True
        question.answered |= question.source == "purchase"
        self.state.counts["open"] -= 1
        self.state.counts["answered" if question.answered else "expired"] += 1
        question.history = self._history(question, user)
        question.query = question.query or self._query(question, user)
        context = self._context(question)
        for item_id in question.items:
            yield from self._sample(question, user_id, item_id, context)
        if question.source == "purchase":
            yield from self._drawn(question, user_id, context)

    def _drawn(self, question: Question, user_id: str, context: str) -> Iterator[Sample]:
        asked, settings = question.items[0], self._settings
        drawn = self._catalogue.draw(settings.seed, question.event_id, asked, question.time, settings.negatives)
        for item_id, probability in drawn:
            yield from self._sample(question, user_id, item_id, context, probability)

    def _labelled(self, event: Labelled) -> Sample:
        self.state.counts["open"] -= 1
        self.state.counts["answered"] += 1
        item_id = event.item_id or ""
        return Sample(
            sample_id=uuid_of("sample", event.event_id, item_id),
            label_version=0,
            question_id=uuid_of("question", event.event_id),
            event_time=event.event_timestamp,
            user=event.user_id,
            source="labelled",
            outcomes=(),
            label=self._classes[event.label],
            weight=1.0,
            sampling_probability=1.0,
            query="",
            history=(),
            item_id=item_id,
            category=event.category or "",
            brand="",
            price_band="",
            context_text=event.text,
            item_text=event.pair or "",
        )

    def _context(self, question: Question) -> str:
        past = [self._catalogue.as_of(item_id, question.time) for item_id in question.history]
        return context_text(question.query, [known for known in past if known])

    def _sample(
        self, question: Question, user_id: str, item_id: str, context: str, probability: float | None = None
    ) -> Iterator[Sample]:
        shown = self._catalogue.described_as_of(item_id, question.time)
        if shown is None:
            self.state.counts["unknown_item"] += 1
            return
        outcomes = tuple(kind for _, _, kind in question.answers.get(item_id, ()))
        item = shown.item
        asked_by_purchase = question.source == "purchase" and probability is None
        yield Sample(
            sample_id=uuid_of("sample", question.event_id, item_id),
            label_version=0 if probability is not None else len(outcomes),
            question_id=question.question_id,
            event_time=question.time,
            user=user_id,
            source=question.source if probability is None else "drawn",
            outcomes=outcomes if probability is None else (),
            label=int(_answer_of(outcomes, first=asked_by_purchase)) if probability is None else 0,
            weight=1.0,
            sampling_probability=1.0 if probability is None else probability,
            query=question.query,
            history=tuple(question.history),
            item_id=item_id,
            category=item.category or "",
            brand=item.brand or "",
            price_band=shown.band,
            context_text=context,
            item_text=shown.text,
        )

    def _history(self, question: Question, user: UserState) -> list[str]:
        """Distinct items the shopper touched strictly before the question, newest first."""
        length = self._settings.history_length
        before = bisect_left(user.history, (question.time,))
        oldest = question.time - self._settings.history_window
        found: dict[str, None] = {}
        for place in range(before - 1, max(before - _KEPT * length, 0) - 1, -1):
            time, _, item_id = user.history[place]
            if time < oldest or len(found) == length:
                break
            found[item_id] = None
        return list(found)

    def _query(self, question: Question, user: UserState) -> str:
        """The newest search of the question's session, no older than the label window."""
        oldest = question.time - self._settings.label_window
        for time, _, session, query in reversed(user.searches):
            if oldest <= time <= question.time and session == question.session:
                return query
        return ""

    def _remember(self, event: Any, user: UserState) -> None:
        if type(event) is Search:
            insort(user.searches, (event.event_timestamp, event.event_id, event.session_id or "", event.query))
            self._prune(user.searches, event.event_timestamp, user)
        elif type(event) in _TOUCHES:
            insort(user.history, (event.event_timestamp, event.event_id, event.item_id))
            self._prune(user.history, event.event_timestamp, user)

    def _prune(
        self, entries: list[tuple[int, str, str]] | list[tuple[int, str, str, str]], now: int, user: UserState
    ) -> None:
        keep = _KEPT * max(self._settings.history_length, 1)
        if len(entries) <= 2 * keep:
            return
        oldest_open = min((question.time for question in user.questions if not question.closed), default=now)
        before = bisect_left(entries, (min(oldest_open, now),))
        del entries[: max(before - keep, 0)]


def _place(question: Question) -> tuple[int, str]:
    return question.time, question.event_id


def _last_seen(user: UserState) -> int:
    return max((entries[-1][0] for entries in (user.history, user.searches) if entries), default=-1)


def _answer_of(outcomes: tuple[str, ...], *, first: bool) -> bool:
    """The label after the outcomes in order: a return takes the answer back, anything else gives it."""
    answer = first
    for kind in outcomes:
        answer = kind != "return"
    return answer
