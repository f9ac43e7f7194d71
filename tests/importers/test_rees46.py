"""REES46: rows written by hand, and the real file compared with pyarrow."""

from collections import Counter
from typing import Any

import pyarrow.compute as pc
import pytest
from pyarrow import parquet

from mainstem.errors import ImportSourceError
from mainstem.events import Cart, Item, Purchase, View
from mainstem.importers.rees46 import COLUMNS, events_of
from mainstem.importers.tables import read_rows
from tests.importers.importing import joined, kinds, real

ROW = {
    "event_time": "2019-10-01 00:00:01 UTC",
    "event_type": "view",
    "product_id": "1307067",
    "category_code": "computers.note_book",
    "brand": "lenovo",
    "price": "251.74",
    "user_id": "550050854",
    "user_session": "7c90fc70",
}


def read(*changes: dict[str, Any]) -> tuple[list[Any], Counter[str]]:
    """Return the events of one row for each change, and what was left out."""
    left_out: Counter[str] = Counter()
    return list(events_of([{**ROW, **change} for change in changes], left_out)), left_out


def test_rows_become_views_carts_and_purchases() -> None:
    """An event keeps the row's kind, user, session and time; category and brand make the title."""
    (item, *events), left_out = read({}, {"event_type": "cart"}, {"event_type": "purchase"})
    assert ("computers note book lenovo", "computers.note_book", "lenovo", 251.74) == (
        item.title,
        item.category,
        item.brand,
        item.price,
    )
    assert [View, Cart, Purchase] == [type(event) for event in events]
    assert {("550050854", "7c90fc70", 1_569_888_001_000)} == {
        (e.user_id, e.session_id, e.event_timestamp) for e in events
    }
    assert 251.74 == events[2].price
    assert Counter() == left_out


def test_an_item_is_told_again_when_it_changes() -> None:
    """A changed price gives a new item event, and an item without category is numbered."""
    events, _ = read(
        {}, {}, {"price": "199"}, {"product_id": "5", "category_code": None, "brand": float("nan")}
    )
    assert [("1307067", 251.74), ("1307067", 199), ("5", 251.74)] == [
        (event.item_id, event.price) for event in events if isinstance(event, Item)
    ]
    assert "item 5" == events[-2].title


def test_a_row_that_is_there_twice_is_a_duplicate() -> None:
    """Repeated rows have the same id, and the joiner counts them as duplicates."""
    events, _ = read({}, {}, {"price": "250"})
    assert {"question": 1, "expired": 1, "duplicate": 2} == joined(events)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"event_type": "remove_from_cart"}, "event type 'remove_from_cart'"),
        ({"user_id": None}, "no user"),
    ],
)
def test_what_is_no_event_is_left_out_and_counted(change: dict[str, Any], reason: str) -> None:
    """A row of an unknown kind, or without a user, is left out and counted under its reason."""
    assert ([], Counter({reason: 1})) == read(change)


def test_a_bad_row_is_told_with_its_number() -> None:
    """A price that is no number stops the import with the number of its row."""
    with pytest.raises(
        ImportSourceError,
        match=r"row 2 of the source cannot be read \(price 'free' is not a number",
    ):
        read({}, {"price": "free"})


def test_the_real_file_gives_what_pyarrow_counts() -> None:
    """Kinds and items are those of the file, nothing is refused, and the ledger balances."""
    path = real("rees46_sample/events.parquet")
    table, left_out = parquet.read_table(path), Counter()
    events = list(events_of(read_rows(path, COLUMNS), left_out))
    counted = {
        pair["values"].capitalize(): pair["counts"]
        for pair in pc.value_counts(table["event_type"]).to_pylist()
    }
    assert counted == {name: count for name, count in kinds(events).items() if name != "Item"}
    assert len(table["product_id"].unique()) == len(
        {event.item_id for event in events if isinstance(event, Item)}
    )
    repeated = table.num_rows - table.select(COLUMNS).group_by(list(COLUMNS)).aggregate([]).num_rows
    ledger = joined(events)
    assert (repeated, table.num_rows) == (ledger["duplicate"], sum(counted.values()))
    assert "unknown_item" not in ledger
    assert "rejected" not in ledger
    assert Counter() == left_out
