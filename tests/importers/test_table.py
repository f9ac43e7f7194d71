"""A shop's own table read by a map: two shops, two formats, pages, catalogues and errors."""

import csv
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from mainstem.errors import ImportSourceError
from mainstem.events import (
    Cart,
    Click,
    Event,
    Impression,
    Item,
    Purchase,
    Return,
    Search,
    Shown,
    View,
)
from mainstem.importers.making import accepted
from mainstem.importers.table import events_of
from mainstem.importers.table_map import read_map
from mainstem.importers.tables import read_rows
from tests.importers.importing import joined, kinds, real

GIFTS = """
time = { column = "created_at", format = "%d/%m/%Y %H:%M", zone = "Europe/London" }
user = "customer"
session = "visit"
quantity = "amount"
kind = { column = "action", \
values = { detail = "view", basket = "cart", order = "purchase", refund = "return" } }
item = { id = "sku", title = "name", category = "dept", brand = "maker", price = "price" }
"""
PAGES = """
time = { column = "ts", format = "s" }
user = "shopper"
query = "words"
item = { id = "product", title = "title" }
page = { id = "request", position = "place", clicked = "clicked" }
"""
MINUTE = 60_000
# 2026-05-04 10:00 UTC
TEN = 1_777_888_800_000


def gift(minute: int, action: str, sku: str = "M-1", **more: Any) -> dict[str, Any]:
    """Make a row of the gift shop, at a minute after 11 in London's summer."""
    at = {
        "created_at": f"04/05/2026 11:{minute:02}",
        "customer": 17,
        "visit": "s1",
        "action": action,
        "sku": sku,
    }
    return {
        **at,
        "name": "Red mug",
        "dept": "Kitchen",
        "maker": "Acme",
        "price": 9.5,
        "amount": None,
        **more,
    }


def page(
    place: int, product: str, *, request: str = "r1", clicked: object = 0, ts: int = TEN // 1000
) -> dict[str, Any]:
    """Make a row of the other shop: one item that was shown."""
    shown = {
        "ts": ts,
        "request": request,
        "shopper": 17.0,
        "words": "mug",
        "place": place,
        "product": product,
    }
    return {**shown, "title": f"Mug {product}", "clicked": clicked}


def read(
    folder: Path, text: str, rows: list[dict[str, Any]], *, sort: bool = False
) -> tuple[list[Event], Counter[str]]:
    """Return the events and what was left out, the same from a CSV and a Parquet file."""
    (folder / "map.toml").write_text(text)
    with (folder / "table.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    parquet.write_table(pa.Table.from_pylist(rows), folder / "table.parquet")
    found = []
    for name in ("table.csv", "table.parquet"):
        by, left_out = read_map(folder / "map.toml"), Counter()
        events = events_of(read_rows(folder / name, by.columns), by, left_out, in_time_order=sort)
        found.append((list(accepted(events, left_out)), left_out))
    assert found[0] == found[1]
    return found[0]


def test_a_row_is_the_kind_of_event_that_the_map_says(tmp_path: Path) -> None:
    """The map gives kind, time, shopper, session, quantity and price, and one item event."""
    rows = [
        gift(0, "detail"),
        gift(1, "basket"),
        gift(2, "order", amount=2),
        gift(3, "refund", amount=2),
    ]
    (item, *events), left_out = read(tmp_path, GIFTS, rows)
    wanted = {
        "event_timestamp": TEN,
        "item_id": "M-1",
        "title": "Red mug",
        "category": "Kitchen",
        "brand": "Acme",
        "price": 9.5,
    }
    assert Item(event_id=item.event_id, **wanted) == item
    assert [View, Cart, Purchase, Return] == [type(event) for event in events]
    assert [TEN + minute * MINUTE for minute in range(4)] == [
        event.event_timestamp for event in events
    ]
    assert {("17", "s1")} == {(event.user_id, event.session_id) for event in events}
    assert (2, 9.5, 2) == (events[2].quantity, events[2].price, events[3].quantity)
    assert Counter() == left_out
    assert {"question": 1, "outcome": 3, "joined": 3, "answered": 1} == joined([item, *events])


def test_rows_of_a_page_are_one_impression(tmp_path: Path) -> None:
    """All rows of one page make one impression, with its query, positions and clicks."""
    rows = [page(1, "a"), page(2, "b", clicked=1), page(1, "c", request="r2")]
    events, _ = read(tmp_path, PAGES, rows)
    asked = [event for event in events if isinstance(event, Impression)]
    assert [("r1", "mug"), ("r2", "mug")] == [(event.impression_id, event.query) for event in asked]
    assert (Shown(item_id="a", position=1), Shown(item_id="b", position=2)) == asked[0].items
    assert [("r1", "b", "17")] == [
        (e.impression_id, e.item_id, e.user_id) for e in events if isinstance(e, Click)
    ]
    assert {"Item": 3, "Impression": 2, "Click": 1} == kinds(events)


def test_pages_and_their_outcomes_may_share_a_table(tmp_path: Path) -> None:
    """With kinds in the map, impressions are grouped by page and an order names its page."""
    text = (
        PAGES.replace(', clicked = "clicked"', "")
        + 'kind = { column = "clicked", values = { 0 = "impression", 1 = "purchase" } }'
    )
    events, _ = read(tmp_path, text, [page(1, "a"), page(2, "b"), page(2, "b", clicked=1)])
    assert {"Item": 2, "Impression": 1, "Purchase": 1} == kinds(events)
    assert "r1" == events[-1].impression_id
    assert {"question": 1, "outcome": 1, "joined": 1, "answered": 1} == joined(events)


def test_a_table_can_be_put_in_order(tmp_path: Path) -> None:
    """Sorting orders rows by time and moves the rows of a page to its first row."""
    later = TEN // 1000 + 60
    rows = [
        page(1, "a", request="r2", ts=later),
        page(1, "a"),
        page(2, "b", request="r2", ts=later),
        page(2, "b"),
    ]
    with pytest.raises(
        ImportSourceError,
        match="rows of page 'r2' lie apart, at row 1 and again at row 3; sort the table",
    ):
        read(tmp_path, PAGES, rows)
    events, _ = read(tmp_path, PAGES, rows, sort=True)
    assert [("r1", 2), ("r2", 2)] == [
        (e.impression_id, len(e.items)) for e in events if isinstance(e, Impression)
    ]
    assert sorted(event.event_timestamp for event in events) == [
        event.event_timestamp for event in events
    ]


def test_a_catalogue_and_searches_need_little(tmp_path: Path) -> None:
    """A table of items needs no time column, and a table of searches needs no items."""
    text = 'time.always = "2026-05-04"\nkind.always = "item"\nitem = { id = "sku", title = "name" }'
    assert [("M-1", "Red mug")] == [
        (e.item_id, e.title) for e in read(tmp_path, text, [{"sku": "M-1", "name": "Red mug"}])[0]
    ]
    text = 'time = "at"\nuser = "who"\nquery = "q"\nkind.always = "search"'
    row = {"at": "2026-05-04T10:00:00Z", "who": "u", "q": "red  mug"}
    search = read(tmp_path, text, [row])[0][0]
    expected = Search(event_id=search.event_id, event_timestamp=TEN, user_id="u", query="red mug")
    assert expected == search


def test_ids_are_the_tables_or_the_contents(tmp_path: Path) -> None:
    """Without an id column repeated rows are duplicates; with one each row has its own id."""
    rows = [gift(0, "detail", n=1), gift(0, "detail", n=2)]
    assert 1 == joined(read(tmp_path, GIFTS, rows)[0])["duplicate"]
    named = read(tmp_path, 'id = "n"\n' + GIFTS, rows)[0]
    assert ["1", "2"] == [event.event_id for event in named if isinstance(event, View)]


def test_rows_that_make_no_event_are_left_out_and_counted(tmp_path: Path) -> None:
    """Rows without a user, a known kind, an item or a valid value have separate counts."""
    rows = [
        gift(0, "detail"),
        gift(0, "detail", customer=None),
        gift(0, "wish"),
        gift(0, "detail", ""),
        gift(1, "order", amount=-1),
    ]
    events, left_out = read(tmp_path, GIFTS, rows)
    assert {"Item": 1, "View": 1} == kinds(events)
    refused = "a purchase would be refused: Expected `float` > 0.0 at $.quantity"
    reasons = ["no user", "kind 'wish' is not in the map", "no item", refused]
    assert Counter(reasons) == left_out


BAD_ROWS = {
    "time": (
        {"created_at": "yesterday"},
        r"row 2 of the source cannot be read \(time data 'yesterday' does not match",
    ),
    "price": (
        {"price": "cheap"},
        (
            r"row 2 of the source cannot be read "
            r"\(price 'cheap' is not a number; write it like 1234.50\)"
        ),
    ),
}


@pytest.mark.parametrize(("change", "message"), BAD_ROWS.values(), ids=BAD_ROWS)
def test_a_bad_row_is_told_with_its_number(
    change: dict[str, Any], message: str, tmp_path: Path
) -> None:
    """A row that cannot be read stops the import, with its fields and what to do."""
    with pytest.raises(ImportSourceError, match=f"{message}.*; mend or remove it"):
        read(
            tmp_path,
            GIFTS,
            [gift(0, "detail", price="9"), gift(1, "detail", **{"price": "9", **change})],
        )


def test_a_click_is_yes_or_no(tmp_path: Path) -> None:
    """A column of clicks holds yes or no in several forms, and anything else is an error."""
    rows = [
        page(n, f"i{n}", clicked=value)
        for n, value in enumerate(["1", "true", "Yes", "2", "0", "false", ""], start=1)
    ]
    assert ["i1", "i2", "i3", "i4"] == [
        e.item_id for e in read(tmp_path, PAGES, rows)[0] if isinstance(e, Click)
    ]
    with pytest.raises(ImportSourceError, match=r"row 1 .*clicked 'maybe' is neither yes nor no"):
        read(tmp_path, PAGES, [page(1, "a", clicked="maybe")])


def test_a_missing_map_or_column_is_told(tmp_path: Path) -> None:
    """An error names the map file that is missing, or the column that the table lacks."""
    with pytest.raises(
        ImportSourceError,
        match=r"cannot read the map '.*none.toml': No such file or directory; check the path",
    ):
        read_map(tmp_path / "none.toml")
    with pytest.raises(ImportSourceError, match=r"lacks the columns \['amount'\]; it has"):
        read(
            tmp_path,
            GIFTS,
            [{name: value for name, value in gift(0, "detail").items() if name != "amount"}],
        )


def test_real_ratings_become_purchases_by_a_map_alone(tmp_path: Path) -> None:
    """A map alone turns good MovieLens ratings into purchases and films into the catalogue."""
    ratings = real("movielens_latest_small/ratings.parquet")
    movies = real("movielens_latest_small/movies.parquet")
    good = ", ".join(f'"{grade}" = "purchase"' for grade in ("4.0", "4.5", "5.0"))
    (tmp_path / "ratings.toml").write_text(
        f'time = {{ column = "timestamp", format = "s" }}\nuser = "userId"\nitem.id = "movieId"\n'
        f'kind = {{ column = "rating", values = {{ {good} }} }}'
    )
    (tmp_path / "movies.toml").write_text(
        'time.always = "1996-01-01"\nkind.always = "item"\n'
        'item = { id = "movieId", title = "title", category = "genres" }'
    )
    events, left_out = [], Counter()
    for table, name in ((movies, "movies"), (ratings, "ratings")):
        by = read_map(tmp_path / f"{name}.toml")
        events += accepted(
            events_of(read_rows(table, by.columns), by, left_out, in_time_order=True), left_out
        )
    grades = parquet.read_table(ratings)["rating"].to_pylist()
    bought = sum(grade >= 4 for grade in grades)
    assert {"Item": parquet.read_metadata(movies).num_rows, "Purchase": bought} == kinds(events)
    assert len(grades) - bought == sum(left_out.values())
    assert {"question": bought, "answered": bought} == joined(events)
