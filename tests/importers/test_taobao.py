"""Taobao UserBehavior: rows by hand, a file without a header, and the real file against pyarrow."""

from collections import Counter
from pathlib import Path

import pyarrow.compute as pc
import pytest
from pyarrow import parquet

from mainstem.errors import ImportSourceError
from mainstem.events import Cart, Click, Item, Purchase, View
from mainstem.importers.tables import read_rows
from mainstem.importers.taobao import COLUMNS, events_of
from tests.importers.importing import joined, kinds, real

ROWS = [
    dict(zip(COLUMNS, ("7", "1715", "1464116", behaviour, "1511658000"), strict=True))
    for behaviour in ("pv", "fav", "cart", "buy")
]


def test_behaviours_become_kinds_and_favourites_are_left_out() -> None:
    """A page view becomes a view and a buy a purchase; favourites are left out."""
    left_out: Counter[str] = Counter()
    item, *events = events_of(ROWS, left_out)
    assert ("item 1715", "category 1464116") == (item.title, item.category)
    assert [View, Cart, Purchase] == [type(event) for event in events]
    assert {("7", "1715", 1_511_658_000_000)} == {
        (one.user_id, one.item_id, one.event_timestamp) for one in events
    }
    assert Counter({"favourite": 1}) == left_out


@pytest.mark.parametrize("kind", [Cart, Click])
def test_favourites_can_be_taken_for_another_kind(kind: type[Cart | Click]) -> None:
    """The caller may choose to read a favourite as a cart or as a click."""
    _, favourite = events_of(ROWS[1:2], Counter(), favourites=kind)
    assert kind is type(favourite)


def test_the_published_file_has_no_header(tmp_path: Path) -> None:
    """A file without a header is read in the column order of the published file."""
    (tmp_path / "UserBehavior.csv").write_text(
        "".join(",".join(row.values()) + "\n" for row in ROWS)
    )
    rows = read_rows(tmp_path / "UserBehavior.csv", COLUMNS, headless=COLUMNS)
    assert list(events_of(ROWS, Counter())) == list(events_of(rows, Counter()))


def test_a_behaviour_that_is_none_is_told() -> None:
    """An unknown behaviour stops the import, because the file is another one."""
    with pytest.raises(
        ImportSourceError, match=r"row 1 .*behaviour 'sell' is none of pv, cart, buy, fav"
    ):
        list(events_of([{**ROWS[0], "behavior": "sell"}], Counter()))


def test_the_real_file_gives_what_pyarrow_counts() -> None:
    """Kinds and distinct items are those of the file, and nothing is refused."""
    path = real("taobao_ub_2h/user_behavior.parquet")
    table, left_out = parquet.read_table(path), Counter()
    events = list(events_of(read_rows(path, COLUMNS), left_out))
    counted = {
        pair["values"]: pair["counts"] for pair in pc.value_counts(table["behavior"]).to_pylist()
    }
    found = kinds(events)
    assert counted == {
        "pv": found["View"],
        "cart": found["Cart"],
        "buy": found["Purchase"],
        "fav": left_out["favourite"],
    }
    others = table.filter(pc.not_equal(table["behavior"], "fav"))
    assert len(others["item_id"].unique()) == len(
        {event.item_id for event in events if isinstance(event, Item)}
    )
    assert not {"unknown_item", "rejected"} & set(joined(events))
