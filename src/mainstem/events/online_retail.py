"""Importer for UCI Online Retail: invoice lines become purchases and returns, first appearances become items.

The source has whole minutes only: line n of an invoice (from 1) gets its minute + n milliseconds and the event id
`INVOICE-n`, so that the order within a basket is kept. What is not a shopper's purchase of a shop item is left out and
counted, by reason: no customer, no description, no price, stock corrections, postage and other non-items.

Source: Daqing Chen, Online Retail, UCI Machine Learning Repository, 2015, https://doi.org/10.24432/C5BW33 (CC BY 4.0).
"""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from mainstem.errors import ImportSourceError
from mainstem.events.vocabulary import Item, Purchase, Return

__all__ = ["COLUMNS", "events_of", "read_rows"]

COLUMNS: Final = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID")
_ITEM_CODE: Final = re.compile(r"\d{5}[A-Za-z]*")  # POST, DOT, M, BANK CHARGES and the like are no items
_DATES: Final = ("%m/%d/%Y %H:%M", "%Y-%m-%d %H:%M:%S", "%d/%m/%Y %H:%M")


def events_of(rows: Iterator[Mapping[str, Any]], left_out: Counter[str]) -> Iterator[Item | Purchase | Return]:
    """Turn the rows of the source, in their order, into events.

    Args:
        rows: one mapping a row, with the source's own column names (`COLUMNS`).
        left_out: counts, by reason, the rows that became no purchase or return.

    Raises:
        ImportSourceError: if a row's number or date cannot be read.

    Example:
        >>> row = dict(InvoiceNo="536365", StockCode="85123A", Description="T-LIGHT HOLDER", Quantity="6",
        ...            InvoiceDate="2010-12-01 08:26:00", UnitPrice="2.55", CustomerID="17850")
        >>> [type(event).__name__ for event in events_of(iter([row]), Counter())]
        ['Item', 'Purchase']
    """
    lines: Counter[str] = Counter()
    known: set[str] = set()
    for number, row in enumerate(rows, start=1):
        try:
            yield from _events_of_row(row, lines, known, left_out)
        except (KeyError, TypeError, ValueError) as error:
            msg = f"row {number} of the source cannot be read ({error}): {dict(row)!r}; mend or remove it"
            raise ImportSourceError(msg) from error


def read_rows(path: Path) -> Iterator[Mapping[str, Any]]:
    """The rows of a CSV or Parquet file (told by its first bytes) that has the source's columns.

    Raises:
        ImportSourceError: if the file is missing, of another format, or lacks a column.
    """
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        msg = f"cannot read {str(path)!r}: {error.strerror}; check the path"
        raise ImportSourceError(msg) from error
    if magic == b"PAR1":
        return _parquet_rows(path)
    if b"\0" in magic or magic[:2] in {b"\x1f\x8b", b"PK"}:
        msg = f"{str(path)!r} is neither CSV nor Parquet; unpack it or save it as one of them"
        raise ImportSourceError(msg)
    return _csv_rows(path)


def _events_of_row(
    row: Mapping[str, Any], lines: Counter[str], known: set[str], left_out: Counter[str]
) -> Iterator[Item | Purchase | Return]:
    invoice, code = str(row["InvoiceNo"]).strip(), str(row["StockCode"]).strip().upper()
    title = " ".join(str(row["Description"] or "").split())
    quantity, price = float(row["Quantity"]), float(row["UnitPrice"])
    customer = _customer(row["CustomerID"])
    lines[invoice] += 1
    reason = _reason_to_leave_out(invoice, code, title, quantity, price)
    if reason:
        left_out[reason] += 1
        return
    number, time = lines[invoice], _millis(row["InvoiceDate"]) + lines[invoice]
    event_id = f"{invoice}-{number}"
    if code not in known:
        known.add(code)
        yield Item(event_id=f"item-{code}", event_timestamp=time, item_id=code, title=title, price=price)
    if not customer:
        left_out["no customer"] += 1
        return
    common: dict[str, Any] = {"event_id": event_id, "user_id": customer, "session_id": invoice, "event_timestamp": time}
    if invoice.startswith("C"):
        yield Return(**common, item_id=code, quantity=-quantity)
    else:
        yield Purchase(**common, item_id=code, quantity=quantity, price=price)


def _reason_to_leave_out(invoice: str, code: str, title: str, quantity: float, price: float) -> str:
    if not _ITEM_CODE.fullmatch(code):
        return "not an item"
    if not title:
        return "no description"
    if price <= 0:
        return "no price"
    if (quantity < 0) != invoice.startswith("C") or quantity == 0:
        return "stock correction"
    return ""


def _customer(value: object) -> str:
    text = "" if value is None else str(value).strip()
    return "" if text == "nan" else text.removesuffix(".0")  # as a column of floats writes its gaps and whole numbers


def _millis(value: object) -> int:
    if isinstance(value, datetime):
        return round(value.replace(tzinfo=UTC).timestamp() * 1000)
    for form in _DATES:
        try:
            return round(datetime.strptime(str(value), form).replace(tzinfo=UTC).timestamp() * 1000)
        except ValueError:
            continue
    msg = f"InvoiceDate {value!r} has none of the forms {_DATES}"
    raise ValueError(msg)


def _csv_rows(path: Path) -> Iterator[Mapping[str, Any]]:
    encoding = _encoding(path)
    with path.open(encoding=encoding, newline="") as file:
        reader = csv.DictReader(file)
        try:
            _check_columns(reader.fieldnames or [], path)
            yield from reader
        except (csv.Error, UnicodeDecodeError) as error:
            msg = f"{str(path)!r} is no CSV after line {reader.line_num} ({error}); mend it or save it again"
            raise ImportSourceError(msg) from error


def _encoding(path: Path) -> str:
    """UTF-8 where the whole file is; the source's own CSV is Windows-1252 (pound signs)."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            for _ in file:
                pass
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"


def _parquet_rows(path: Path) -> Iterator[Mapping[str, Any]]:
    try:
        from pyarrow import parquet  # noqa: PLC0415 - an extra: only Parquet needs it
    except ImportError as error:
        msg = "reading Parquet needs pyarrow; `pip install 'mainstem[parquet]'`, or give a CSV file"
        raise ImportSourceError(msg) from error
    try:
        file = parquet.ParquetFile(path)
        _check_columns(file.schema_arrow.names, path)
        for batch in file.iter_batches(columns=list(COLUMNS)):
            yield from batch.to_pylist()
    except (OSError, ValueError) as error:  # pyarrow's own errors are of these two kinds
        msg = f"{str(path)!r} is a broken Parquet file ({error}); copy it again"
        raise ImportSourceError(msg) from error


def _check_columns(names: object, path: Path) -> None:
    missing = [name for name in COLUMNS if name not in list(names)]  # type: ignore[call-overload]
    if missing:
        msg = f"{str(path)!r} lacks the columns {missing}; it has {list(names)!r}"  # type: ignore[call-overload]
        raise ImportSourceError(msg)
