"""The joiner's state as plain values, so that a snapshot is one encoding and a restore is one decoding."""

from typing import Final
from uuid import UUID

from msgspec import Struct, field

from mainstem.events import Event
from mainstem.join.ledger import new_counts

__all__ = ["FORM", "JoinState", "Question", "UserState"]

FORM: Final = 1
"""What a state holds, by number: one more where joiners need what states of before lack. 0 had no positions."""


class Question(Struct, kw_only=True, gc=False):
    """A question and the outcomes that answered it so far.

    Its `history` and `query` are read when it closes and kept, because a revision must repeat the text.
    """

    question_id: UUID
    event_id: str
    time: int
    source: str
    items: list[str]
    positions: list[int] = field(
        default_factory=list
    )  # of the items in their impression; empty where there is none
    impression_id: str = ""
    session: str = ""
    query: str = ""
    history: list[str] = field(default_factory=list)
    answers: dict[str, list[tuple[int, str, str]]] = field(
        default_factory=dict
    )  # item: (time, event id, kind), sorted
    closed: bool = False
    answered: bool = False


class UserState(Struct, kw_only=True, gc=False):
    """What one shopper did lately: enough for the texts of questions that are open or may still come."""

    questions: list[Question] = field(default_factory=list)  # sorted by (time, event id)
    history: list[tuple[int, str, str]] = field(
        default_factory=list
    )  # (time, event id, item id), sorted
    searches: list[tuple[int, str, str, str]] = field(
        default_factory=list
    )  # (time, event id, session, query), sorted


class JoinState(Struct, kw_only=True):
    """All that a joiner knows of its partition: a pure function of the log up to `next_offset`."""

    first_offset: int = 0
    next_offset: int = 0
    newest: int = -1  # largest event time seen; -1 before the first event
    counts: dict[str, int] = field(default_factory=new_counts)
    # heap of events the watermark has not passed: time, whether it is an outcome, event id, event
    waiting: list[tuple[int, bool, str, Event]] = field(default_factory=list)
    deadlines: list[tuple[int, int, str, int, str]] = field(
        default_factory=list
    )  # heap: time, action, user, question
    seen: dict[str, int] = field(default_factory=dict)  # event id: event time, for `dedupe_horizon`
    forget: list[tuple[int, str]] = field(default_factory=list)  # heap: the same, by time
    users: dict[str, UserState] = field(default_factory=dict)
    since_sweep: int = 0
