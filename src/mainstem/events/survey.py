"""The survey: a first reading of a log, which finds its items, its questions, and its last part.

Item events belong to topic `items`, which a joiner reads whole before questions close. In a replay,
the survey is that reading.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

import msgspec
from msgspec import Struct

from mainstem.events.decode import Refusal, decode
from mainstem.events.vocabulary import (
    Event,
    Impression,
    Item,
    Labelled,
    Purchase,
    Search,
    Tick,
    View,
)

__all__ = ["KeptSurvey", "Survey", "belongs_to_items", "survey"]

_MINUTE = 60_000
_MOST_LABELS = 1000  # classes that are counted; further ones are not
_MOST_TEXTS = 200_000  # distinct texts that a vocabulary is trained on


class KeptSurvey(Struct, frozen=True, kw_only=True):
    """A survey as a home keeps it to continue it later.

    The texts are left out, because a vocabulary is trained only once. `minutes` counts the
    questions of each kind by minute of event time; the other fields are those of `Survey`.
    """

    lines: int
    items: list[Item]
    refused_items: list[tuple[int, Refusal]]
    newest: int
    has_shown: bool
    minutes: dict[str, dict[int, int]]
    labels: dict[str, int]
    example: tuple[str, str | None] | None


@dataclass
class Survey:
    """What one reading of a log found.

    Attributes:
        lines: number of lines.
        items: accepted item events, in order.
        refused_items: refused item events, each with its place among all item events.
        newest: largest event time, in milliseconds since 1970; -1 without events.
        has_shown: whether there are impressions or views; if not, purchases are the questions. A
            labelled text is always a question.
        texts: distinct titles, queries and labelled texts, for a vocabulary.
        labels: number of labelled texts of each class, of at most 1,000 classes.
        example: event id and item id of the first question; None if the log has no question.
    """

    lines: int = 0
    items: list[Item] = field(default_factory=list)
    refused_items: list[tuple[int, Refusal]] = field(default_factory=list)
    newest: int = -1
    has_shown: bool = False
    texts: set[str] = field(default_factory=set)
    labels: Counter[str] = field(default_factory=Counter)
    example: tuple[str, str | None] | None = None
    _minutes: dict[str, dict[int, int]] = field(
        default_factory=lambda: {"shown": {}, "purchases": {}, "labelled": {}}
    )

    @property
    def questions(self) -> str:
        """Which events of this log are questions: `shown` or `purchases`."""
        return "shown" if self.has_shown else "purchases"

    @property
    def asks(self) -> frozenset[str]:
        """The kinds of questions in this log, of `shown`, `purchases` and `labelled`; or none."""
        return frozenset(kind for kind, minutes in self._minutes.items() if minutes)

    def kept(self) -> KeptSurvey:
        """Return a copy of this survey to keep; lines noted later do not change it.

        Example:
            >>> found = survey([b'{"type":"tick","event_timestamp":5}'])
            >>> Survey.of(found.kept()) == found
            True
        """
        return KeptSurvey(
            lines=self.lines,
            items=list(self.items),
            refused_items=list(self.refused_items),
            newest=self.newest,
            has_shown=self.has_shown,
            minutes={name: dict(minutes) for name, minutes in self._minutes.items()},
            labels=dict(self.labels),
            example=self.example,
        )

    @classmethod
    def of(cls, kept: KeptSurvey) -> Self:
        """Return a survey that continues from a kept one."""
        return cls(
            lines=kept.lines,
            items=list(kept.items),
            refused_items=list(kept.refused_items),
            newest=kept.newest,
            has_shown=kept.has_shown,
            labels=Counter(kept.labels),
            example=kept.example,
            _minutes={name: dict(minutes) for name, minutes in kept.minutes.items()},
        )

    def later_from(self, questions: str, share: float) -> int:
        """Return the event time from which on the last questions were asked.

        Args:
            questions: kind of questions, `shown` or `purchases`; labelled texts count too.
            share: share of the questions that were asked from then on, at most; from 0 to 1.

        Returns:
            Milliseconds since 1970, a whole minute; one past `newest` if there is no such minute.
        """
        minutes = Counter(self._minutes[questions])
        minutes.update(self._minutes["labelled"])
        left = sum(minutes.values()) * share
        begin = self.newest + 1
        for minute in sorted(minutes, reverse=True):
            if minutes[minute] > left:
                break
            left -= minutes[minute]
            begin = minute * _MINUTE
        return begin

    def note(self, event: Event | Refusal, raw: bytes) -> None:
        """Add a line with its event, or with the refusal of it."""
        self.lines += 1
        if belongs_to_items(event, raw):
            self._note_item(event)
        elif not isinstance(event, Refusal):
            self.newest = max(self.newest, event.event_timestamp)
            self._note_user_event(event)

    def _note_item(self, event: Event | Refusal) -> None:
        if isinstance(event, Item):
            self.items.append(event)
            self._note_text(event.title, event.category, event.brand)
        elif isinstance(event, Refusal):
            self.refused_items.append((len(self.items) + len(self.refused_items), event))

    def _note_user_event(self, event: Event) -> None:
        if self.example is None and isinstance(event, Impression | View | Purchase | Labelled):
            first = event.items[0] if isinstance(event, Impression) else event
            self.example = (event.event_id, first.item_id)
        minute = event.event_timestamp // _MINUTE
        if isinstance(event, Impression | View):
            self.has_shown = True
        if isinstance(event, Impression) or (isinstance(event, View) and not event.impression_id):
            self._minutes["shown"][minute] = self._minutes["shown"].get(minute, 0) + 1
        elif isinstance(event, Purchase):
            self._minutes["purchases"][minute] = self._minutes["purchases"].get(minute, 0) + 1
        elif isinstance(event, Labelled):
            if event.label in self.labels or len(self.labels) < _MOST_LABELS:
                self.labels[event.label] += 1
            self._minutes["labelled"][minute] = self._minutes["labelled"].get(minute, 0) + 1
            self._note_text(event.text, event.pair)
        if isinstance(event, Search | Impression):
            self._note_text(event.query)

    def _note_text(self, *texts: str | None) -> None:
        if len(self.texts) < _MOST_TEXTS:
            self.texts.update(text for text in texts if text)


class _Kind(msgspec.Struct):
    type: str = ""


def belongs_to_items(event: Event | Refusal | Tick, raw: bytes) -> bool:
    """Whether a line is an item event, accepted or refused.

    Example:
        >>> raw = b'{"type":"item","event_id":"e"}'
        >>> belongs_to_items(decode(raw), raw)
        True
    """
    if not isinstance(event, Refusal):
        return isinstance(event, Item)
    try:
        return msgspec.json.decode(raw, type=_Kind).type == "item"
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


def survey(lines: Iterable[bytes]) -> Survey:
    """Read a log once, and return its survey.

    Example:
        >>> survey([b'{"type":"tick","event_timestamp":5}']).newest
        5
    """
    found = Survey()
    for raw in lines:
        found.note(decode(raw), raw)
    return found
