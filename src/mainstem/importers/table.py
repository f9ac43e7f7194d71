"""Importer for a shop's own table. A map says which column holds what.

A row is an event, or one item of a page that was shown. An item event is made when an item first
appears and when it changes, so rows should come in the order of time. If the map names no column
for ids, they are made from the event's content, and a repeated row becomes a duplicate.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

import msgspec

from mainstem.errors import ImportSourceError
from mainstem.events.vocabulary import (
    Cart,
    Click,
    Event,
    Impression,
    Item,
    Labelled,
    Purchase,
    Return,
    Search,
    Shown,
    View,
)
from mainstem.importers.making import Shelf, named, unreadable
from mainstem.importers.names import (
    NoNameError,
    is_nothing,
    label_of,
    name_of,
    nothing_said,
    text_of,
    worded,
)
from mainstem.importers.rows import number_of_row
from mainstem.importers.table_map import TableMap
from mainstem.importers.tables import Row
from mainstem.importers.values import is_yes, number_of, time_reader, whole_number_of

__all__ = ["events_of"]

_ASKED: Final = {"search", "labelled"}  # kinds that need a query


@dataclass(frozen=True)
class _Read:
    """A row whose time and kind are known."""

    number: int
    row: Row
    time: int
    kind: str
    page: str


def events_of(
    rows: Iterable[Row], table: TableMap, left_out: Counter[str], *, in_time_order: bool = False
) -> Iterator[Event]:
    """Turn the rows of a table into events.

    Args:
        rows: one mapping per row.
        table: which column holds what (`table_map.read_map`).
        left_out: counts, by reason, the rows that became no event.
        in_time_order: sort the rows by time first, in memory; the rows of a page stay together.

    Raises:
        ImportSourceError: if a row cannot be read, or other rows lie between the rows of a page.

    Example:
        >>> from mainstem.importers.table_map import ItemColumns, KindColumn
        >>> kind = KindColumn("did", {"order": "purchase"})
        >>> table = TableMap(time="at", user="who", item=ItemColumns("sku"), kind=kind)
        >>> rows = [{"at": "2026-05-01 10:00", "who": 7, "sku": "A1", "did": "order"}]
        >>> event, = events_of(rows, table, Counter())
        >>> type(event).__name__, event.user_id, event.item_id
        ('Purchase', '7', 'A1')
    """
    read = _read(rows, table, left_out)
    making = _Making(table)
    pages: dict[str, int] = {}
    for key, group in groupby(_sorted(read) if in_time_order else read, key=_together):
        if not isinstance(key, str):
            yield from making.of_row(next(group))
            continue
        shown = list(group)
        if key in pages:
            places = f"at row {pages[key]} and again at row {shown[0].number}"
            msg = (
                f"rows of page {key!r} lie apart, {places}; sort the table by page, or give --sort"
            )
            raise ImportSourceError(msg)
        pages[key] = shown[0].number
        yield from making.of_page(shown)


def _read(rows: Iterable[Row], table: TableMap, left_out: Counter[str]) -> Iterator[_Read]:
    when, kinds = table.when, table.kinds
    millis = time_reader(when.format, when.zone)
    for place, row in enumerate(rows, start=1):
        number = number_of_row(row, place)
        try:
            value = label_of(row[table.kind.column]) if table.kind and table.kind.column else ""
            kind, page = kinds.get(value), name_of(row[table.page.id]) if table.page else ""
            if reason := _reason_to_leave_out(row, table, kind, value, page):
                left_out[reason] += 1
                continue
            _check_names(row, table)
            time = millis(row[when.column] if when.column else when.always)
            yield _Read(number, row, time, kind or "", page)
        except NoNameError as error:
            left_out[str(error)] += 1
        except ValueError as error:
            raise unreadable(number, row, error) from error


def _check_names(row: Row, table: TableMap) -> None:
    """Raise the errors of the row's optional names before an event is made from the row."""
    for column in (table.session, table.id):
        name_of(row[column] if column else None)


def _reason_to_leave_out(row: Row, table: TableMap, kind: str | None, value: str, page: str) -> str:
    if kind is None:
        return f"kind {value!r} is not in the map"
    if kind != "item" and not name_of(row[table.user]):
        return f"no user{nothing_said(row[table.user])}"
    if kind != "search" and table.item and not name_of(row[table.item.id]):
        return f"no item{nothing_said(row[table.item.id])}"
    titled = table.item and table.item.title and kind in {"item", "impression", "labelled"}
    if table.item and titled and not _worded(row, table.item.title):
        return f"no title{nothing_said(row[table.item.title])}"
    if kind in _ASKED and not _worded(row, table.query):
        return f"no query{nothing_said(row[table.query])}"
    if kind == "labelled" and table.grade:
        name, cell = "grade", row[table.grade.column]
    else:
        name, cell = "page", row[table.page.id] if table.page else None
    lacks = is_nothing(text_of(cell)) if name == "grade" else kind == "impression" and not page
    return f"no {name}{nothing_said(cell)}" if lacks else ""


def _worded(row: Row, column: str) -> str:
    return worded(text_of(row[column])) if column else ""


def _together(read: _Read) -> str | int:
    """The page of an item that was shown; the row's own number for every other row."""
    return read.page if read.kind == "impression" else read.number


def _sorted(read: Iterable[_Read]) -> list[_Read]:
    """The rows in the order of time; a page stands where the first of its rows does."""
    rows = list(read)
    begun: dict[str | int, int] = {}
    for one in rows:
        begun[_together(one)] = min(one.time, begun.get(_together(one), one.time))

    def order(one: _Read) -> tuple[int, str, int]:
        page = one.page if one.kind == "impression" else ""
        return begun[_together(one)], page, one.number

    return sorted(rows, key=order)


class _Making:
    """Makes the events of one table."""

    def __init__(self, table: TableMap) -> None:
        self._table = table
        self._shelf = Shelf()

    def of_row(self, read: _Read) -> Iterator[Event]:
        """Yield the item of a row if it is new or has changed, then the row's event."""
        try:
            yield from self._item(read)
            if read.kind != "item":
                made = self._graded(read) if read.kind == "labelled" else [self._event(read)]
                yield from (self._named(one, read) for one in made)
        except ValueError as error:
            raise unreadable(read.number, read.row, error) from error

    def of_page(self, shown: list[_Read]) -> Iterator[Event]:
        """Yield the new or changed items of a page, its impression, and the clicks on it."""
        first, table = shown[0], self._table
        items, clicked, graded = [], [], []
        for read in shown:
            try:
                yield from self._item(read)
                items.append(Shown(item_id=self._item_id(read), position=self._position(read)))
                if table.page and table.page.clicked and is_yes(read.row[table.page.clicked]):
                    clicked.append(read)
                graded += self._graded(read)
            except ValueError as error:
                raise unreadable(read.number, read.row, error) from error
        common = self._common(first)
        query = _worded(first.row, table.query)
        yield self._named(
            Impression(**common, impression_id=first.page, items=tuple(items), query=query or None),
            first,
        )
        for read in clicked:
            yield named(Click(**common, item_id=self._item_id(read), impression_id=read.page))
        yield from graded

    def _named(self, event: Any, read: _Read) -> Any:
        """The event with the table's id, or else an id made from its content."""
        given = name_of(read.row[self._table.id]) if self._table.id else ""
        return msgspec.structs.replace(event, event_id=given) if given else named(event)

    def _item_id(self, read: _Read) -> str:
        return name_of(read.row[self._table.item.id]) if self._table.item else ""

    def _position(self, read: _Read) -> int | None:
        column = self._table.page.position if self._table.page else ""
        return whole_number_of(read.row[column], "position") if column else None

    def _price(self, read: _Read) -> float | None:
        column = self._table.item.price if self._table.item else ""
        return self._number(read, column, "price", self._table.currency)

    def _number(self, read: _Read, column: str, of: str, currency: str = "") -> float | None:
        return number_of(read.row[column], of, self._table.decimal, currency) if column else None

    def _item(self, read: _Read) -> Iterator[Item]:
        columns = self._table.item
        title = _worded(read.row, columns.title) if columns else ""
        if columns and title and read.kind not in _ASKED:
            category, brand = (
                _worded(read.row, name) for name in (columns.category, columns.brand)
            )
            price = self._price(read)
            yield from self._shelf.seen(
                read.time, self._item_id(read), title, category=category, brand=brand, price=price
            )

    def _graded(self, read: _Read) -> list[Labelled]:
        """The pair of query and title, if somebody graded it."""
        table, grades, columns = self._table, self._table.grade, self._table.item
        query = _worded(read.row, table.query)
        if not (grades and columns and query):
            return []
        grade = grades.of(read.row[grades.column], table.decimal)
        if grade is None:
            return []
        about: dict[str, Any] = {
            "pair": _worded(read.row, columns.title),
            "item_id": self._item_id(read),
            "category": _worded(read.row, columns.category) or None,
        }
        label = grades.label_of(grade)
        return [
            named(Labelled(**self._common(read), text=query, label=label, grade=grade, **about))
        ]

    def _common(self, read: _Read) -> dict[str, Any]:
        session = name_of(read.row[self._table.session]) if self._table.session else ""
        user = name_of(read.row[self._table.user])
        return {
            "event_id": "",
            "event_timestamp": read.time,
            "user_id": user,
            "session_id": session or None,
        }

    def _event(self, read: _Read) -> Event:
        table, common = self._table, self._common(read)
        if read.kind == "search":
            return Search(**common, query=_worded(read.row, table.query))
        common |= {"item_id": self._item_id(read), "impression_id": read.page or None}
        quantity = self._number(read, table.quantity, "quantity")
        match read.kind:
            case "view":
                return View(**common)
            case "click":
                return Click(**common)
            case "cart":
                return Cart(**common)
            case "return":
                return Return(**common, quantity=quantity)
            case _:
                return Purchase(**common, quantity=quantity, price=self._price(read))
