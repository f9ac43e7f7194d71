"""What importers share in making events: row by row, ids from content, items as they change, and a last look at each."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b
from typing import TypeVar

import msgspec

from mainstem.errors import ImportSourceError
from mainstem.events.decode import Refusal, decode, encode
from mainstem.events.importers.tables import Row
from mainstem.events.importers.values import text_of
from mainstem.events.vocabulary import Event, Item

__all__ = ["Shelf", "accepted", "by_time", "named", "row_by_row", "unreadable"]

AnyEvent = TypeVar("AnyEvent", bound=Event)


def row_by_row(rows: Iterable[Row], events_of_row: Callable[[Row], Iterator[AnyEvent]]) -> Iterator[AnyEvent]:
    """The events of each row, in order.

    Raises:
        ImportSourceError: with the number of the row (the first after the header is 1), if one cannot be read.

    Example:
        >>> from mainstem.events import Tick
        >>> list(row_by_row([{"n": "1"}], lambda row: iter([Tick(event_timestamp=int(row["n"]))])))
        [Tick(event_timestamp=1)]
    """
    for number, row in enumerate(rows, start=1):
        try:
            yield from events_of_row(row)
        except (KeyError, TypeError, ValueError) as error:
            raise unreadable(number, row, error) from error


def by_time(rows: Iterable[Row], column: str) -> list[Row]:
    """All the rows in the order of a column of times: timestamps, ISO 8601, or seconds since 2001.

    Example:
        >>> by_time([{"at": "1511658001"}, {"at": 1511658000}], "at")
        [{'at': 1511658000}, {'at': '1511658001'}]
    """
    return sorted(rows, key=lambda row: text_of(row[column]))


def unreadable(number: int, row: Row, error: Exception) -> ImportSourceError:
    """What to raise of a row that cannot be read."""
    return ImportSourceError(f"row {number} of the source cannot be read ({error}): {dict(row)!r}; mend or remove it")


def named(event: AnyEvent) -> AnyEvent:
    """The event with an id made of its content.

    A row that is there twice gives the same id twice, and the joiner counts the second as `duplicate`. Tables that are
    imported one by one share no ids by chance, as numbers of rows would.

    Example:
        >>> cup = Item(event_id="", event_timestamp=5, item_id="cup", title="red cup")
        >>> named(cup) == named(cup), len(named(cup).event_id)
        (True, 32)
    """
    return msgspec.structs.replace(event, event_id=blake2b(encode(event), digest_size=16).hexdigest())


class Shelf:
    """Tells of an item when a source first shows it, and again when its text or price has changed.

    Example:
        >>> shelf = Shelf()
        >>> seen = [(5, 2.5), (6, 2.5), (7, 3.0)]
        >>> [item.price for time, price in seen for item in shelf.seen(time, "cup", "red cup", price=price)]
        [2.5, 3.0]
    """

    def __init__(self) -> None:
        self._last: dict[str, tuple[str, str, str, float | None]] = {}

    def seen(
        self, time: int, item_id: str, title: str, *, category: str = "", brand: str = "", price: float | None = None
    ) -> Iterator[Item]:
        """The event of an item that looks like this at `time` (milliseconds), where that is news."""
        look = (title, category, brand, price)
        if self._last.get(item_id) == look:
            return
        self._last[item_id] = look
        yield named(
            Item(
                event_id="",
                event_timestamp=time,
                item_id=item_id,
                title=title,
                category=category or None,
                brand=brand or None,
                price=price,
            )
        )


def accepted(events: Iterable[AnyEvent], left_out: Counter[str]) -> Iterator[AnyEvent]:
    """The events that a replay will accept; the others are counted, with the reason for which it would refuse them.

    Example:
        >>> from mainstem.events import Tick
        >>> left_out = Counter()
        >>> list(accepted([Tick(event_timestamp=-1)], left_out)), left_out
        ([], Counter({'a tick would be refused: Expected `int` >= 0 at $.event_timestamp': 1}))
    """
    for event in events:
        found = decode(encode(event))
        if isinstance(found, Refusal):
            left_out[f"a {type(event).__name__.lower()} would be refused: {found.reason} at {found.path}"] += 1
        else:
            yield event
