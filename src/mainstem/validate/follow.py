"""What the joiner makes of a log, event by event: the real fold, watched.

Whether something asks, which question an outcome answers, what is unknown: the fold of `mainstem.join` decides, so that
these are the joiner's words and not ours. It runs with a longer revision window, so that a delay can be measured which the
settings would cut off, and with as much `grace` as the log needs, so that disorder is one rule's business only.
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

__all__ = ["Answered", "Asked", "Closed", "Follower", "Happened", "Orphaned"]

_SWEEP: Final = 1000  # events between two looks for shoppers who left


class Asked(NamedTuple):
    """A question was opened."""

    event: Any


class Answered(NamedTuple):
    """An outcome found its question, asked `delay` milliseconds before."""

    offset: int
    event: Any
    delay: int


class Orphaned(NamedTuple):
    """An outcome found no question; why, in a word."""

    offset: int
    event: Any
    reason: str


class Closed(NamedTuple):
    """A question's label window ended: its samples, and those of its items that were not known when it was asked."""

    offset: int
    event_id: str
    items: int
    unknown: tuple[str, ...]
    samples: tuple[Sample, ...]


Happened: TypeAlias = Asked | Answered | Orphaned | Closed


class Follower:
    """Joins a whole log, as one partition, and tells what happens. Duplicates must have been dropped.

    Args:
        settings: settled (`questions` is not `auto`).
        catalogue: already read.
        lateness: how far events come out of order, in milliseconds; a longer `grace` stays.

    Holds the questions of the last four revision windows, and what has not passed the watermark.
    """

    def __init__(self, settings: Settings, catalogue: Catalogue, lateness: int = 0) -> None:
        window = 2 * max(settings.join.revision_window, settings.join.label_window)
        self._grace = max(settings.join.grace, lateness + 1)
        self._windows = settings.join.label_window
        self._state = JoinState()
        self._catalogue = catalogue
        self._fold = Fold(
            self._state,
            settings.but(
                {
                    "join.revision_window": window,
                    "responses.horizon": max(
                        settings.responses.horizon, window + settings.join.label_window
                    ),
                    "join.history_length": 0,
                    "join.history_window": settings.join.label_window,
                }
            ),
            catalogue,
        )
        self._waiting: list[tuple[int, bool, str, int, Any]] = []
        self._offsets: dict[str, int] = {}  # of open questions, by event id
        self._since_sweep = 0

    def step(self, offset: int, event: Any) -> Iterator[Happened]:
        """Take one event, or a tick."""
        if not isinstance(event, Tick):
            self._count(event)
            # subtle: the joiner's own order, where at equal times a question comes before its outcomes
            place = (
                event.event_timestamp,
                self._fold.is_outcome(event),
                event.event_id,
                offset,
                event,
            )
            heapq.heappush(self._waiting, place)
        yield from self._advance(event.event_timestamp)

    def finish(self) -> Iterator[Happened]:
        """The tick with which a replay ends: all that is open closes."""
        yield from self._advance(self._state.newest + self._windows + self._grace + 1)

    def _count(self, event: Any) -> None:
        counts = self._state.counts  # the fold takes away from these what it settles
        counts["open"] += self._fold.is_question(event)
        counts["parked"] += self._fold.is_outcome(event)

    def _advance(self, time: int) -> Iterator[Happened]:
        state, waiting = self._state, self._waiting
        state.newest = max(state.newest, time)
        watermark = state.newest - self._grace
        while True:
            if (
                waiting
                and waiting[0][0] < watermark
                and (not state.deadlines or waiting[0][0] <= state.deadlines[0][0])
            ):
                *_, offset, event = heapq.heappop(waiting)
                yield from self._happen(offset, event)
            elif state.deadlines and state.deadlines[0][0] < watermark:
                yield from self._act(heapq.heappop(state.deadlines))
            else:
                break
        self._since_sweep += 1
        if self._since_sweep > max(_SWEEP, len(state.users)):
            self._since_sweep = 0
            self._fold.sweep(watermark)

    def _happen(self, offset: int, event: Any) -> Iterator[Happened]:
        counts = self._state.counts
        orphaned, answered = (
            counts["orphaned"] + counts["late"],
            counts["joined"] + counts["revised"],
        )
        samples = tuple(self._fold.happen(event))
        if isinstance(event, Labelled):
            yield Closed(offset, event.event_id, 0, (), samples)
        elif self._fold.is_question(event):
            self._offsets[event.event_id] = offset
            yield Asked(event)
        elif self._fold.is_outcome(event):
            user = self._state.users[event.user_id]
            if (
                counts["orphaned"] + counts["late"] > orphaned
            ):  # late here: forgotten by a joiner with the real windows
                yield Orphaned(offset, event, _why(event, user))
            elif counts["joined"] + counts["revised"] > answered:
                yield Answered(
                    offset, event, event.event_timestamp - _question_of(event, user).time
                )

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


def _why(event: Any, user: UserState) -> str:
    if not user.questions:
        return "the shopper was asked nothing before"
    if event.impression_id and all(
        event.impression_id != one.impression_id for one in user.questions
    ):
        return "its impression_id is of no impression of the shopper's"
    if any(event.item_id in one.items for one in user.questions):
        return "its item was asked about, but too long ago or in another impression"
    return "its item was not asked about"
