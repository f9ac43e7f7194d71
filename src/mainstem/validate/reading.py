"""Reads the lines of a log, and passes on the events that can be read and have a possible time."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from mainstem.events import Item, Labelled, Refusal, Tick, decode, refusal_of
from mainstem.settings import Objectives
from mainstem.validate.clocks import Future, Unit
from mainstem.validate.lines import NO_CLASS, Encoding, Fields

__all__ = ["Reader", "kind_of"]


def kind_of(event: Any) -> str:
    """Return the kind of an event, as it is written in the log.

    Example:
        >>> kind_of(Tick(event_timestamp=5))
        'tick'
    """
    return type(event).__name__.lower()


class Reader:
    """Reads a log once.

    An event that one of the reader's four rules refuses reaches no other rule, so one fault fails
    one rule.

    Args:
        objectives: the settings that name the classes.
        now: current time, in milliseconds since 1970, UTC.
        shifts: milliseconds by which the times of each kind are too late; they are subtracted.

    Attributes:
        lines: number of lines read.
        items: all item events.
        labels: number of labelled texts by class, those of unknown classes included.
        encoding, fields, future, unit: the reader's rules.
    """

    def __init__(self, objectives: Objectives, now: int, shifts: Mapping[str, int]) -> None:
        self._classes = set(objectives.class_names)
        self._shifts = shifts
        self.lines = 0
        self.items: list[Item] = []
        self.labels: Counter[str] = Counter()
        self.encoding, self.fields = Encoding(), Fields()
        self.future, self.unit = Future(now), Unit()

    def read(self, lines: Iterable[bytes]) -> Iterator[tuple[int, bytes, Any]]:
        """Yield offset, line and event of each usable event of a shopper and of each tick.

        Item events are kept in `items` instead.
        """
        for offset, raw in enumerate(lines):
            self.lines += 1
            if self.encoding.refuses(offset, raw):
                continue
            event = decode(raw)
            if isinstance(event, Labelled):
                self.labels[event.label] += 1
            if isinstance(event, Refusal):
                self.fields.note(offset, event, _id_in(raw))
            elif isinstance(event, Labelled) and event.label not in self._classes:
                self.fields.note(offset, refusal_of(event, NO_CLASS, "$.label"), event.event_id)
            elif isinstance(event, Item):
                self.fields.note(offset, None)
                self.items.append(event)
            else:
                self.fields.note(offset, None)
                if usable := self._timed(offset, event):
                    yield offset, raw, usable

    def _timed(self, offset: int, event: Any) -> Any:
        shift = self._shifts.get(kind_of(event), 0) if self._shifts else 0
        time = event.event_timestamp - shift
        event_id = None if isinstance(event, Tick) else event.event_id
        if self.future.refuses(offset, event_id, time) or self.unit.refuses(offset, event_id, time):
            return None
        return msgspec.structs.replace(event, event_timestamp=time) if shift else event


class _Named(msgspec.Struct):
    event_id: str | None = None


def _id_in(raw: bytes) -> str | None:
    try:
        return msgspec.json.decode(raw, type=_Named).event_id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
