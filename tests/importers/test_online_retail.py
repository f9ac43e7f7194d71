"""Online Retail: lines written by hand, CSV and Parquet, and the real file against pyarrow."""

import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyarrow import parquet

from mainstem.errors import ImportSourceError
from mainstem.events import Item, Purchase, Return, decode, encode
from mainstem.importers.online_retail import COLUMNS, events_of
from mainstem.importers.tables import read_rows

REAL = Path(__file__).parents[3] / "shared/data/online_retail_uci/online_retail.parquet"
# 2010-12-01 08:26 UTC
MINUTE = 1_291_191_960_000
ROW = {
    "InvoiceNo": "536365",
    "StockCode": "85123A",
    "Description": "WHITE T-LIGHT HOLDER",
    "Quantity": "6",
    "InvoiceDate": "2010-12-01 08:26:00",
    "UnitPrice": "2.55",
    "CustomerID": "17850",
}
HOLDER = Item(
    event_id="item-85123A",
    event_timestamp=MINUTE + 1,
    item_id="85123A",
    title="WHITE T-LIGHT HOLDER",
    price=2.55,
)
BOUGHT = Purchase(
    event_id="536365-1",
    user_id="17850",
    session_id="536365",
    event_timestamp=MINUTE + 1,
    item_id="85123A",
    quantity=6,
    price=2.55,
)

LEFT_OUT = {
    "postage": ({"StockCode": "POST"}, "not an item"),
    "manual": ({"StockCode": "M"}, "not an item"),
    "no description": ({"Description": None}, "no description"),
    "blank description": ({"Description": "  "}, "no description"),
    "free": ({"UnitPrice": "0"}, "no price"),
    "negative price": ({"UnitPrice": "-11062.06"}, "no price"),
    "negative without C": ({"Quantity": "-6"}, "stock correction"),
    "positive with C": ({"InvoiceNo": "C536365"}, "stock correction"),
    "nothing": ({"Quantity": "0"}, "stock correction"),
}
NO_CUSTOMER = {"absent": None, "empty": "", "gap in floats": float("nan"), "gap as text": "nan"}
CUSTOMERS = {"whole": 17850, "float": 17850.0, "text of a float": "17850.0", "padded": " 17850 "}
DATES = {
    "ISO": "2010-12-01 08:26:00",
    "American": "12/1/2010 8:26",
    "day first": "31/12/2010 08:26",
    "datetime": datetime(2010, 12, 1, 8, 26),  # noqa: DTZ001 - as Parquet gives it
}


def read(*rows: Mapping[str, Any]) -> tuple[list[Item | Purchase | Return], Counter[str]]:
    left_out: Counter[str] = Counter()
    return list(events_of(iter([{**ROW, **row} for row in rows]), left_out)), left_out


def write_csv(path: Path, encoding: str, *rows: Mapping[str, Any]) -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows({**ROW, **row} for row in rows)
    return path


def message_of(rows: Iterator[Mapping[str, Any]]) -> str:
    with pytest.raises(ImportSourceError) as caught:
        list(events_of(rows, Counter()))
    return str(caught.value)


def test_a_bought_line_is_an_item_and_a_purchase() -> None:
    """The first row of an item gives the item and its purchase, at the same time."""
    assert ([HOLDER, BOUGHT], Counter()) == read({})


def test_lines_of_an_invoice_are_milliseconds_apart() -> None:
    """Line n of an invoice is n milliseconds in and is called INVOICE-n; left-out lines count."""
    events, _ = read({}, {"StockCode": "POST"}, {}, {"InvoiceNo": "536366"})
    bought = [
        (event.event_id, event.event_timestamp - MINUTE)
        for event in events
        if isinstance(event, Purchase)
    ]
    assert bought == [("536365-1", 1), ("536365-3", 3), ("536366-1", 1)]


def test_a_credit_note_is_a_return() -> None:
    """A negative quantity on an invoice with C is a return of that many."""
    events, left_out = read({"InvoiceNo": "C536379", "Quantity": "-1"})
    common = {
        "user_id": "17850",
        "session_id": "C536379",
        "event_timestamp": MINUTE + 1,
        "item_id": "85123A",
    }
    assert [HOLDER, Return(event_id="C536379-1", **common, quantity=1)] == events
    assert not left_out


def test_an_item_is_told_at_its_first_appearance_only() -> None:
    """An item keeps its first title, whatever the case of its code and whoever bought it first."""
    rows = [
        {"CustomerID": None, "StockCode": "85123a"},
        {"Description": "damaged"},
        {"StockCode": "22423"},
    ]
    items = [(event.item_id, event.title) for event in read(*rows)[0] if isinstance(event, Item)]
    assert items == [("85123A", "WHITE T-LIGHT HOLDER"), ("22423", "WHITE T-LIGHT HOLDER")]


def test_titles_lose_their_superfluous_blanks() -> None:
    """Runs of blanks in a description, which are common in the source, become one."""
    assert read({"Description": " WHITE  T-LIGHT HOLDER "})[0][0] == HOLDER


@pytest.mark.parametrize(("change", "reason"), LEFT_OUT.values(), ids=LEFT_OUT)
def test_what_is_no_purchase_is_left_out_and_counted(
    change: Mapping[str, Any], reason: str
) -> None:
    """A row that is no purchase of a shop item gives no event and is counted under its reason."""
    assert ([], Counter({reason: 1})) == read(change)


@pytest.mark.parametrize("value", NO_CUSTOMER.values(), ids=NO_CUSTOMER)
def test_without_a_customer_only_the_item_is_told(value: object) -> None:
    """A row without a customer still adds its item to the catalogue."""
    assert ([HOLDER], Counter({"no customer": 1})) == read({"CustomerID": value})


@pytest.mark.parametrize("value", CUSTOMERS.values(), ids=CUSTOMERS)
def test_a_customer_is_one_however_written(value: object) -> None:
    """A customer number is the same shopper as text, as a whole number and as a float."""
    assert [HOLDER, BOUGHT] == read({"CustomerID": value})[0]


@pytest.mark.parametrize("value", DATES.values(), ids=DATES)
def test_dates_are_read_in_each_form_of_the_source(value: object) -> None:
    """Each form in which the source is published gives the same minute, in UTC."""
    day = 31 if str(value).startswith("31") else 1
    minute = int(datetime(2010, 12, day, 8, 26, tzinfo=UTC).timestamp() * 1000)
    assert minute + 1 == read({"InvoiceDate": value})[0][1].event_timestamp


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"Quantity": "six"}, "Quantity 'six' is not a number"),
        ({"UnitPrice": None}, "UnitPrice is empty"),
        ({"InvoiceDate": "yesterday"}, "InvoiceDate 'yesterday' has none of the forms"),
    ],
    ids=["quantity", "price", "date"],
)
def test_a_bad_row_is_an_error_with_its_number(change: Mapping[str, Any], part: str) -> None:
    """A row that cannot be read is an error with its number, its fields and what to do."""
    told = message_of(iter([ROW, {**ROW, **change}]))
    assert told.startswith("row 2 of the source cannot be read (")
    assert part in told
    assert told.endswith("; mend or remove it")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_a_csv_is_read_in_the_encodings_of_the_source(encoding: str, tmp_path: Path) -> None:
    """Pound signs are read from UTF-8, with or without a byte order mark, and Windows-1252."""
    path = write_csv(
        tmp_path / "retail.csv", encoding, {"Description": "MUG, £2"}, {"StockCode": "22423"}
    )
    events = list(events_of(read_rows(path, COLUMNS), Counter()))
    assert [event.title for event in events if isinstance(event, Item)] == [
        "MUG, £2",
        "WHITE T-LIGHT HOLDER",
    ]
    assert BOUGHT == events[1]


def test_parquet_gives_the_events_of_the_csv(tmp_path: Path) -> None:
    """CSV and Parquet give the same events for the same rows, gaps included."""
    typed = {**ROW, "Quantity": 6, "UnitPrice": 2.55, "InvoiceDate": DATES["datetime"]}
    rows = [
        {**typed, "CustomerID": 17850},
        {**typed, "CustomerID": None},
        {**typed, "StockCode": "POST", "CustomerID": 1},
    ]
    parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "retail.parquet")
    write_csv(tmp_path / "retail.csv", "utf-8", {}, {"CustomerID": ""}, {"StockCode": "POST"})
    counted = {name: Counter() for name in ("retail.parquet", "retail.csv")}
    read_from = {
        name: list(events_of(read_rows(tmp_path / name, COLUMNS), counts))
        for name, counts in counted.items()
    }
    assert [HOLDER, BOUGHT] == read_from["retail.parquet"] == read_from["retail.csv"]
    left_out = Counter({"no customer": 1, "not an item": 1})
    assert left_out == counted["retail.parquet"] == counted["retail.csv"]


def test_the_real_file_gives_what_pyarrow_counts() -> None:
    """The first 2,000 purchases and returns are those that pyarrow selects, and all decode."""
    if not REAL.exists():
        pytest.skip(f"the real file is not at {REAL}")
    purchases, returns, items, users = _counted_by_pyarrow(2000)
    left_out: Counter[str] = Counter()
    events, asked = [], 0
    for event in events_of(read_rows(REAL, COLUMNS), left_out):
        asked += not isinstance(event, Item)
        events.append(event)
        if asked == 2000:
            break
    kinds = Counter(type(event).__name__ for event in events)
    assert {"Purchase": purchases, "Return": returns, "Item": items} == kinds
    assert users == {event.user_id for event in events if not isinstance(event, Item)}
    assert events == [decode(encode(event)) for event in events]


def _counted_by_pyarrow(count: int) -> tuple[int, int, int, set[str]]:
    """Count purchases, returns and items, and list users, up to purchase or return `count`."""
    table = next(iter(islice(parquet.ParquetFile(REAL).iter_batches(20_000), 1)))
    code, invoice = pc.utf8_upper(pc.utf8_trim_whitespace(table["StockCode"])), table["InvoiceNo"]
    credit = pc.starts_with(invoice, "C")
    sold = pc.if_else(credit, pc.less(table["Quantity"], 0), pc.greater(table["Quantity"], 0))
    titled = pc.fill_null(
        pc.greater(pc.utf8_length(pc.utf8_trim_whitespace(table["Description"])), 0),
        fill_value=False,
    )
    shop = pc.and_(
        pc.and_(pc.match_substring_regex(code, r"^\d{5}[A-Z]*$"), titled),
        pc.greater(table["UnitPrice"], 0),
    )
    item = pc.and_(shop, sold)
    ours = pc.and_(item, pc.is_valid(table["CustomerID"]))
    end = pc.indices_nonzero(ours)[count - 1].as_py() + 1
    ours, credit, item = ours[:end], credit[:end], item[:end]
    returns = pc.sum(pc.and_(ours, credit)).as_py()
    users = {str(user) for user in table["CustomerID"][:end].filter(ours).to_pylist()}
    return count - returns, returns, len(code[:end].filter(item).unique()), users
