"""Open Bandit: a row written by hand, and the real file compared with pyarrow."""

import pyarrow.compute as pc
import pytest
from pyarrow import parquet

from mainstem.errors import ImportSourceError
from mainstem.events import Click, Impression, Item, Shown
from mainstem.importers.making import by_time
from mainstem.importers.open_bandit import COLUMNS, OPTIONAL, events_of
from mainstem.importers.tables import read_rows
from tests.importers.importing import joined, kinds, real

ROW = {
    "timestamp": "2019-11-24 00:03:13.442536+00:00",
    "item_id": "14",
    "position": "3",
    "click": "1",
    **{f"user_feature_{number}": f"{number}ef3390ed299c09874189c387777674a" for number in range(4)},
}


def test_a_row_is_an_impression_of_one_item_and_perhaps_a_click() -> None:
    """The features become the query, the position is kept, and the click names its impression."""
    item, impression, click = events_of([{**ROW, "campaign": "men"}])
    assert (
        Item(
            event_id=item.event_id,
            event_timestamp=1_574_553_793_442,
            item_id="men-14",
            title="men item 14",
            category="men",
        )
        == item
    )
    assert (Shown(item_id="men-14", position=3),) == impression.items
    assert "men 0ef339 1ef339 2ef339 3ef339" == impression.query
    assert (impression.impression_id, impression.user_id, "men-14") == (
        click.impression_id,
        click.user_id,
        click.item_id,
    )


def test_without_a_campaign_an_item_is_its_number() -> None:
    """Without a campaign, which only the published folder names, an item is called by number."""
    item, _, _ = events_of([ROW])
    assert ("14", "item 14", None) == (item.item_id, item.title, item.category)


def test_each_row_is_a_shopper_of_its_own() -> None:
    """Each row has its own shopper, so no shopper has a history."""
    events = [
        one for one in events_of([ROW, {**ROW, "position": "2"}]) if isinstance(one, Impression)
    ]
    assert 2 == len({event.user_id for event in events})


def test_a_bad_row_is_told_with_its_number() -> None:
    """A click that is no number stops the import with the number of its row."""
    with pytest.raises(
        ImportSourceError,
        match=r"row 1 of the source cannot be read .*click 'maybe' is not a number",
    ):
        list(events_of([{**ROW, "click": "maybe"}]))


def test_the_real_file_gives_what_pyarrow_counts() -> None:
    """Every row is a question, every click in the file an outcome, and the ledger balances."""
    path = real("obd_small/impressions.parquet")
    table = parquet.read_table(path)
    events = list(events_of(by_time(read_rows(path, COLUMNS, optional=OPTIONAL), "timestamp")))
    clicks, found = pc.sum(table["click"]).as_py(), kinds(events)
    items = table.group_by(["campaign", "item_id"]).aggregate([]).num_rows
    assert {"Impression": table.num_rows, "Click": clicks, "Item": items} == found
    ledger = joined(events)
    assert (table.num_rows, clicks, clicks) == (
        ledger["question"],
        ledger["joined"],
        ledger["answered"],
    )
    assert not {"unknown_item", "rejected", "duplicate", "orphaned"} & set(ledger)
    assert sorted(event.event_timestamp for event in events) == [
        event.event_timestamp for event in events
    ]
    assert clicks == sum(isinstance(event, Click) for event in events)


def test_a_propensity_score_is_the_items_propensity() -> None:
    """A source with propensity scores keeps them; one that is no probability stops the import."""
    _, impression, _ = events_of([{**ROW, "propensity_score": "0.0125"}])
    assert (Shown(item_id="14", position=3, propensity=0.0125),) == impression.items
    with pytest.raises(ImportSourceError, match="propensity_score 2 is not above 0"):
        list(events_of([{**ROW, "propensity_score": "2"}]))
