"""Steps that importers share: errors with row numbers, ids from content, items when they change."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b
from typing import TypeVar

import msgspec

from mainstem.errors import ImportSourceError
from mainstem.events.decode import Refusal, decode, encode
from mainstem.events.vocabulary import Event, Item
from mainstem.importers.names import NoNameError, text_of
from mainstem.importers.notes import excerpt
from mainstem.importers.rows import number_of_row
from mainstem.importers.tables import Row
from mainstem.importers.values import time_reader

__all__ = ["Shelf", "accepted", "by_time", "named", "row_by_row", "unreadable"]

AnyEvent = TypeVar("AnyEvent", bound=Event)


def row_by_row(
    rows: Iterable[Row],
    events_of_row: Callable[[Row], Iterator[AnyEvent]],
    left_out: Counter[str] | None = None,
) -> Iterator[AnyEvent]:
    """Yield the events of each row, in order.

    Args:
        rows: one mapping per row.
        events_of_row: makes the events of one row.
        left_out: counts, by reason, rows with a cell that cannot serve as a name; None to raise an
            error for such a row instead.

    Raises:
        ImportSourceError: if a row cannot be read; the message has its number, which is 1 for the
            first row after the header.

    Example:
        >>> from mainstem.events import Tick
        >>> list(row_by_row([{"n": "1"}], lambda row: iter([Tick(event_timestamp=int(row["n"]))])))
        [Tick(event_timestamp=1)]
    """
    for place, row in enumerate(rows, start=1):
        try:
            yield from events_of_row(row)
        except (ArithmeticError, KeyError, TypeError, ValueError) as error:
            if left_out is not None and isinstance(error, NoNameError):
                left_out[str(error)] += 1
                continue
            raise unreadable(number_of_row(row, place), row, error) from error


def by_time(rows: Iterable[Row], column: str, form: str = "") -> list[Row]:
    """Sort rows by a column of times, in memory.

    Rows whose time cannot be read come first, so that the importer reports them.

    Example:
        >>> by_time([{"at": "1511658001"}, {"at": 911658000}], "at", "s")
        [{'at': 911658000}, {'at': '1511658001'}]
    """
    millis = time_reader(form)

    def time_of(row: Row) -> tuple[int, str]:
        try:
            # the text decides between times within a millisecond
            return millis(row[column]), text_of(row[column])
        except ValueError:
            return -1, ""

    return sorted(rows, key=time_of)


def unreadable(number: int, row: Row, error: Exception) -> ImportSourceError:
    """The error to raise about a row that cannot be read."""
    shown = ", ".join(f"{name!r}: {_shown(cell)}" for name, cell in list(row.items())[:30])
    return ImportSourceError(
        f"row {number} of the source cannot be read ({error}): {{{shown}}}; mend or remove it"
    )


def _shown(cell: object) -> str:
    try:
        text = repr(cell)
    except ValueError:  # Python refuses to print a whole number of more than 4,300 digits
        return "a number of thousands of digits"
    return excerpt(text)


def named(event: AnyEvent) -> AnyEvent:
    """Return the event with an id made from its content.

    A repeated row gets the same id again, and the joiner counts it as `duplicate`. Numbers of rows
    would not do as ids, because tables imported one by one would share them by chance.

    Example:
        >>> cup = Item(event_id="", event_timestamp=5, item_id="cup", title="red cup")
        >>> named(cup) == named(cup), len(named(cup).event_id)
        (True, 32)
    """
    return msgspec.structs.replace(
        event, event_id=blake2b(encode(event), digest_size=16).hexdigest()
    )


class Shelf:
    """Makes an item event when a source first shows an item, and when its text or price changes.

    Example:
        >>> shelf = Shelf()
        >>> [item.price for item in shelf.seen(5, "cup", "red cup", price=2.5)]
        [2.5]
        >>> [item.price for item in shelf.seen(6, "cup", "red cup", price=2.5)]
        []
        >>> [item.price for item in shelf.seen(7, "cup", "red cup", price=3.0)]
        [3.0]
    """

    def __init__(self) -> None:
        self._last: dict[str, tuple[str, str, str, float | None]] = {}

    def seen(
        self,
        time: int,
        item_id: str,
        title: str,
        *,
        category: str = "",
        brand: str = "",
        price: float | None = None,
    ) -> Iterator[Item]:
        """Yield an item event if the item is new or has changed.

        `time` is the time of the event, in milliseconds since 1970.
        """
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
    """Yield the events that a replay will accept, and count the others by the reason of refusal.

    Example:
        >>> from mainstem.events import Tick
        >>> left_out = Counter()
        >>> list(accepted([Tick(event_timestamp=-1)], left_out)), left_out
        ([], Counter({'a tick would be refused: Expected `int` >= 0 at $.event_timestamp': 1}))
    """
    for event in events:
        found = decode(encode(event))
        if isinstance(found, Refusal):
            kind = type(event).__name__.lower()
            article = "an" if kind[0] in "aeiou" else "a"
            left_out[f"{article} {kind} would be refused: {found.reason} at {found.path}"] += 1
        else:
            yield event
