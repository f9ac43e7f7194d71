"""Importer for UCI Online Retail: invoice lines become purchases and returns.

An item event precedes the first line of each item. The source has whole minutes only: line n of an
invoice (from 1) gets its minute + n milliseconds and the event id `INVOICE-n`, which keeps the
order within a basket. Lines that are not a shopper's purchase or return of an item are left out and
counted by reason: no customer, no description, no price, stock corrections, postage and other
non-items.

Source:
    Daqing Chen, Online Retail, UCI Machine Learning Repository, 2015,
    https://doi.org/10.24432/C5BW33 (CC BY 4.0).
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final

from mainstem.events.vocabulary import Item, Purchase, Return
from mainstem.importers.day_order import DayOrder, with_times
from mainstem.importers.making import row_by_row
from mainstem.importers.names import name_of, nothing_said, text_of, worded
from mainstem.importers.notes import Notes
from mainstem.importers.tables import Row
from mainstem.importers.values import number_of

__all__ = ["ALIASES", "COLUMNS", "events_of"]

COLUMNS: Final = (
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
)
ALIASES: Final = {"Invoice": "InvoiceNo", "Price": "UnitPrice", "Customer ID": "CustomerID"}
"""The names that Online Retail II gives to these columns."""
# POST, DOT, M, BANK CHARGES and the like are not items
_ITEM_CODE: Final = re.compile(r"\d{5}[A-Za-z]*")


def events_of(
    rows: Iterable[Row],
    left_out: Counter[str],
    dates: DayOrder | None = None,
    notes: Notes | None = None,
) -> Iterator[Item | Purchase | Return]:
    """Turn the rows of the source, in their order, into events.

    Args:
        rows: one mapping per row, with the source's own column names (`COLUMNS`).
        left_out: counts, by reason, the rows that became no purchase or return.
        dates: order of day and month in dates like 01/12/2010; None to infer it from the dates.
        notes: where the inferred order is reported.

    Raises:
        ImportSourceError: if a row's number or date cannot be read.

    Example:
        >>> row = dict(InvoiceNo="536365", InvoiceDate="2010-12-01 08:26:00", CustomerID="17850",
        ...            StockCode="85123A", Description="HOLDER", Quantity="6", UnitPrice="2.55")
        >>> [type(event).__name__ for event in events_of(iter([row]), Counter())]
        ['Item', 'Purchase']
    """
    lines: Counter[str] = Counter()
    known: set[str] = set()
    times: list[int] = []

    def timed() -> Iterator[Row]:
        for row, time in with_times(rows, "InvoiceDate", dates, notes):
            times[:] = [time]
            yield row

    def of_row(row: Row) -> Iterator[Item | Purchase | Return]:
        return _events_of_row(row, times[0], lines, known, left_out)

    return row_by_row(timed(), of_row, left_out)


def _events_of_row(
    row: Row, minute: int, lines: Counter[str], known: set[str], left_out: Counter[str]
) -> Iterator[Item | Purchase | Return]:
    invoice, code = name_of(row["InvoiceNo"]), name_of(row["StockCode"]).upper()
    title = worded(text_of(row["Description"]))
    quantity, price = _given(row, "Quantity"), _given(row, "UnitPrice")
    customer = name_of(row["CustomerID"])
    lines[invoice] += 1
    reason = _reason_to_leave_out(invoice, code, title, quantity, price)
    if reason:
        left_out[reason] += 1
        return
    number, time = lines[invoice], minute + lines[invoice]
    event_id = f"{invoice}-{number}"
    if code not in known:
        known.add(code)
        yield Item(
            event_id=f"item-{code}", event_timestamp=time, item_id=code, title=title, price=price
        )
    if not customer:
        left_out[f"no customer{nothing_said(row['CustomerID'])}"] += 1
        return
    common: dict[str, Any] = {
        "event_id": event_id,
        "user_id": customer,
        "session_id": invoice,
        "event_timestamp": time,
    }
    if invoice.startswith("C"):
        yield Return(**common, item_id=code, quantity=-quantity)
    else:
        yield Purchase(**common, item_id=code, quantity=quantity, price=price)


def _reason_to_leave_out(invoice: str, code: str, title: str, quantity: float, price: float) -> str:
    if not invoice:
        return "no invoice"
    if not _ITEM_CODE.fullmatch(code):
        return "not an item"
    if not title:
        return "no description"
    if price <= 0:
        return "no price"
    if (quantity < 0) != invoice.startswith("C") or quantity == 0:
        return "stock correction"
    return ""


def _given(row: Row, name: str) -> float:
    number = number_of(row[name], name)
    if number is None:
        msg = f"{name} is empty"
        raise ValueError(msg)
    return number
