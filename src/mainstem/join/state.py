"""The joiner's state as plain values, so that one call encodes a snapshot and one decodes it."""

from typing import Final
from uuid import UUID

from msgspec import Struct, field

from mainstem.behaviour.counting import OpenHour
from mainstem.events import Event
from mainstem.join.ledger import new_counts

__all__ = ["FORM", "JoinState", "Question", "UserState"]

FORM: Final = 2
"""Number of the form of a state. It grows when joiners need something that older states lack.

Form 0 had no positions; form 1 had no open hour, and did not know what a shopper had touched.
"""


class Question(Struct, kw_only=True, gc=False):
    """A question and the outcomes that have answered it so far.

    Its `history`, `query` and `own` are filled in when it closes, and then kept, because a revised
    sample must repeat what the first one said.
    """

    question_id: UUID
    event_id: str
    time: int
    source: str
    items: list[str]
    # positions of the items in their impression; None if the question is no impression
    positions: list[int] | None = None
    # probabilities with which the items were shown; None if the settings ignore propensities
    propensities: list[float] | None = None
    impression_id: str = ""
    session: str = ""
    query: str = ""
    query_key: str = ""  # digest of the query that was known when the question was asked
    history: list[str] = field(default_factory=list)
    # what the shopper did before with each item, where anything: touches, purchases, time since
    own: dict[str, tuple[int, int, int]] | None = None
    # outcomes by item id: (time, event id, kind), sorted
    answers: dict[str, list[tuple[int, str, str]]] = field(default_factory=dict)
    closed: bool = False
    answered: bool = False


class UserState(Struct, kw_only=True, gc=False):
    """The recent past of one shopper, as far as samples of open or future questions need it."""

    # sorted by (time, event id)
    questions: list[Question] = field(default_factory=list)
    # touches: (time, event id, item id), sorted
    history: list[tuple[int, str, str]] = field(default_factory=list)
    # packed touches of each item (`past`), which take a third of the memory of lists
    touched: dict[str, bytes] = field(default_factory=dict)
    # the last `history_length` different items that were touched, newest last
    recent: tuple[str, ...] = ()
    # (time, event id, session, query), sorted
    searches: list[tuple[int, str, str, str]] = field(default_factory=list)


class JoinState(Struct, kw_only=True):
    """All that a joiner knows of its partition, a pure function of the log up to `next_offset`."""

    first_offset: int = 0
    next_offset: int = 0
    newest: int = -1  # largest event time seen; -1 before the first event
    counts: dict[str, int] = field(default_factory=new_counts)
    # heap of events that the watermark has not passed: time, rank at that time, event id, event
    waiting: list[tuple[int, int, str, Event]] = field(default_factory=list)
    # heap: due time, action, user, time and event id of the question
    deadlines: list[tuple[int, int, str, int, str]] = field(default_factory=list)
    # event times by event id, kept for `dedupe_horizon`
    seen: dict[str, int] = field(default_factory=dict)
    # heap of (event time, event id) of the events in `seen`
    forget: list[tuple[int, str]] = field(default_factory=list)
    users: dict[str, UserState] = field(default_factory=dict)
    since_sweep: int = 0
    open_hour: OpenHour = field(default_factory=OpenHour)
