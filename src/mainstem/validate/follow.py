"""Follows the joiner's fold through a log, event by event.

The fold of `mainstem.join` itself decides what is a question, which question an outcome answers,
and which items are unknown, so the rules cannot disagree with the joiner. It runs with a longer
revision window, to measure delays that the settings would cut off, and with as much `grace` as the
log needs, so that only the rule `disorder` fails over late events.
"""

import heapq
from bisect import bisect_left
from collections.abc import Iterator
from typing import Any, Final, NamedTuple, TypeAlias

from mainstem.events import Labelled, Tick
from mainstem.join import Catalogue, Sample
from mainstem.join.fold import CLOSE, Fold
from mainstem.join.state import JoinState, Question, UserState
from mainstem.settings import Settings
from mainstem.validate.finding import duration

__all__ = ["BEFORE_THE_LOG", "Answered", "Asked", "Closed", "Follower", "Happened", "Orphaned"]

_NO_QUESTION: Final = "the shopper had no question before"
_NO_ITEM: Final = "its item was in no question"
BEFORE_THE_LOG: Final = frozenset({_NO_QUESTION, _NO_ITEM})
"""Reasons that no longer window changes: if there was a question, it is not in the log."""
_SWEEP: Final = 1000  # fewest events between two sweeps for shoppers without open questions


class Asked(NamedTuple):
    """A question was opened."""

    event: Any


class Answered(NamedTuple):
    """An outcome found its question, which was opened `delay` milliseconds before."""

    offset: int
    event: Any
    delay: int


class Orphaned(NamedTuple):
    """An outcome found no question, for a reason in words."""

    offset: int
    event: Any
    reason: str


class Closed(NamedTuple):
    """The label window of a question ended.

    Attributes:
        offset: line of the question in the log; -1 if it is not known.
        event_id: id of the question.
        items: number of items in the question; 0 for a labelled text.
        unknown: items that the catalogue did not have when the question was opened.
        samples: samples of the question.
    """

    offset: int
    event_id: str
    items: int
    unknown: tuple[str, ...]
    samples: tuple[Sample, ...]


Happened: TypeAlias = Asked | Answered | Orphaned | Closed


class Follower:
    """Joins a log as one partition and reports what happens. The caller drops duplicates.

    The follower holds the questions of the last four revision windows, and the events that the
    watermark has not passed.

    Args:
        settings: settings of the join, in which `questions` is not `auto`.
        catalogue: all items of the log.
        lateness: by how much events are out of order, in milliseconds; a longer `grace` of the
            settings is kept.
    """

    def __init__(self, settings: Settings, catalogue: Catalogue, lateness: int = 0) -> None:
        self._remembered = window = 2 * max(
            settings.join.revision_window, settings.join.label_window
        )
        self._grace = max(settings.join.grace, lateness + 1)
        self._windows = settings.join.label_window
        self._state = JoinState()
        self._catalogue = catalogue
        horizon = max(settings.responses.horizon, window + settings.join.label_window)
        longer = {
            "join.revision_window": window,
            "responses.horizon": horizon,
            "join.history_length": 0,
            "join.history_window": settings.join.label_window,
        }
        self._fold = Fold(self._state, settings.but(longer), catalogue)
        self._waiting: list[tuple[int, bool, str, int, Any]] = []
        self._offsets: dict[str, int] = {}  # the line of each open question, by event id
        self._since_sweep = 0
        self._oldest: int | None = None

    def step(self, offset: int, event: Any) -> Iterator[Happened]:
        """Add an event or a tick, and yield what happens up to the watermark."""
        if not isinstance(event, Tick):
            self._count(event)
            self._oldest = min(event.event_timestamp, self._oldest or event.event_timestamp)
            # subtle: the joiner's own order, in which a question comes before outcomes of its time
            time, is_outcome = event.event_timestamp, self._fold.is_outcome(event)
            heapq.heappush(self._waiting, (time, is_outcome, event.event_id, offset, event))
        yield from self._advance(event.event_timestamp)

    def finish(self) -> Iterator[Happened]:
        """Close all open questions, as the tick at the end of a replay does."""
        yield from self._advance(self._state.newest + self._windows + self._grace + 1)

    def _count(self, event: Any) -> None:
        counts = self._state.counts  # the fold subtracts what it settles
        counts["open"] += self._fold.is_question(event)
        counts["parked"] += self._fold.is_outcome(event)

    def _advance(self, time: int) -> Iterator[Happened]:
        state, waiting = self._state, self._waiting
        state.newest = max(state.newest, time)
        watermark = state.newest - self._grace
        while True:
            event_time = waiting[0][0] if waiting else watermark
            deadline = state.deadlines[0][0] if state.deadlines else watermark
            if event_time < watermark and event_time <= deadline:
                *_, offset, event = heapq.heappop(waiting)
                yield from self._happen(offset, event)
            elif deadline < watermark:
                yield from self._act(heapq.heappop(state.deadlines))
            else:
                break
        self._since_sweep += 1
        if self._since_sweep > max(_SWEEP, len(state.users)):
            self._since_sweep = 0
            self._fold.sweep(watermark)

    def _happen(self, offset: int, event: Any) -> Iterator[Happened]:
        counts = self._state.counts
        orphaned = counts["orphaned"] + counts["late"]
        answered = counts["joined"] + counts["revised"]
        samples = tuple(self._fold.happen(event))
        if isinstance(event, Labelled):
            yield Closed(offset, event.event_id, 0, (), samples)
        elif self._fold.is_question(event):
            self._offsets[event.event_id] = offset
            yield Asked(event)
        elif self._fold.is_outcome(event):
            user = self._state.users[event.user_id]
            # `late` counts here, because a joiner with the real windows has dropped the question
            if counts["orphaned"] + counts["late"] > orphaned:
                yield Orphaned(offset, event, self._why(event, user))
            elif counts["joined"] + counts["revised"] > answered:
                delay = event.event_timestamp - _question_of(event, user).time
                yield Answered(offset, event, delay)

    def _why(self, event: Any, user: UserState) -> str:
        # subtle: older questions have been forgotten, and a longer window might find one
        is_whole = event.event_timestamp - (self._oldest or 0) <= self._remembered
        days = duration(self._remembered)
        if not user.questions:
            return _NO_QUESTION if is_whole else f"the shopper had no question in {days} before"
        impressions = {one.impression_id for one in user.questions}
        if event.impression_id and event.impression_id not in impressions:
            return "the shopper had no impression with its impression_id"
        if any(event.item_id in one.items for one in user.questions):
            return "its item was in a question, but too long ago or in another impression"
        return _NO_ITEM if is_whole else f"its item was in no question in {days} before"

    def _act(self, deadline: tuple[int, int, str, int, str]) -> Iterator[Happened]:
        _, action, user_id, time, event_id = deadline
        questions = self._state.users[user_id].questions
        question = questions[bisect_left(questions, (time, event_id), key=_place)]
        samples = tuple(self._fold.act(deadline))
        if action == CLOSE:
            items = question.items
            unknown = tuple(item for item in items if self._catalogue.as_of(item, time) is None)
            yield Closed(self._offsets.pop(event_id, -1), event_id, len(items), unknown, samples)


def _question_of(event: Any, user: UserState) -> Question:
    """The question that this outcome has just answered."""
    key = event.event_id
    return next(
        one
        for one in reversed(user.questions)
        if any(known == key for _, known, _ in one.answers.get(event.item_id, ()))
    )


def _place(question: Question) -> tuple[int, str]:
    return question.time, question.event_id
