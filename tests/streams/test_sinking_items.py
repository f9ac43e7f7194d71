"""The sink accounts for every offset of topic `items`: an item, a rejection, or no record."""

from mainstem.events import encode
from mainstem.join import LedgerRow, imbalance
from mainstem.store import Store
from mainstem.streams.sink import Sink
from tests.join.shop import view
from tests.streams.sinking import (
    SETTINGS,
    FakeIntake,
    contents,
    item,
    items_batch,
    ledger_of_items,
    sink_of,
)


def test_refused_items_are_told_and_counted(store: Store) -> None:
    """Lines that are no items are rejected and counted, and the ledger balances."""
    sink, _ = sink_of(store)
    sink.write([*items_batch(item("a"), b"bad", b"", encode(view("v", 1)), item("b"))])
    told = store.rows("SELECT topic, offset, reason FROM rejected ORDER BY offset")
    assert [("items", 1), ("items", 2), ("items", 3)] == [row[:2] for row in told]
    assert ("the line is empty", "only item events belong to topic `items`") == (
        told[1][2],
        told[2][2],
    )
    row = ledger_of_items(store)
    assert (2, 3, 5, 0) == (
        row.counts["accepted"],
        row.counts["rejected"],
        row.next_offset,
        imbalance(row),
    )
    assert [("a",), ("b",)] == store.rows("SELECT item_id FROM items FINAL ORDER BY item_id")


def test_names_do_not_get_into_the_history(store: Store) -> None:
    """A shopper's event in topic `items` leaves no user id, and its digest depends on the key."""
    sink_of(store)[0].write(items_batch(encode(view("v", 1)), b'{"type": "item", "user_id": "ann"'))
    assert "ann" not in repr(contents(store))
    other = Sink(store, SETTINGS, b"another secret")
    before = store.rows("SELECT digest FROM rejected FINAL WHERE offset = 1")
    other.assigned([("items", 0)], FakeIntake())
    other._items[0] = LedgerRow(
        topic="items", partition=0, block=0, next_offset=1, counts=dict(other._items[0].counts)
    )
    other.write(items_batch(None, b'{"type": "item", "user_id": "ann"'))
    assert before != store.rows("SELECT digest FROM rejected FINAL WHERE offset = 1")


def test_offsets_without_a_record_are_control(store: Store) -> None:
    """Offsets without a record within and between batches are counted as control."""
    sink, _ = sink_of(store)
    sink.write(items_batch(None, item("a"), None, None, item("b")))
    sink.write(items_batch(None, item("c"), first=5))
    row = ledger_of_items(store)
    assert (4, 3, 7, 0) == (
        row.counts["control"],
        row.counts["accepted"],
        row.next_offset,
        imbalance(row),
    )


def test_offsets_without_a_record_at_the_end_are_control(store: Store) -> None:
    """Offsets without a record after the last item are counted up to the end of the topic."""
    sink, intake = sink_of(store)
    assert not sink.passed(intake)
    sink.write(items_batch(item("cup"), None, item("plate")))
    intake.read_to = 5
    assert sink.passed(intake)
    assert not sink.passed(intake)
    row = ledger_of_items(store)
    assert (3, 2, 5, 0) == (
        row.counts["control"],
        row.counts["accepted"],
        row.next_offset,
        imbalance(row),
    )
    sink.write(items_batch(item("pot"), first=5))
    assert (3, 3, 6) == (ledger_of_items(store).counts["control"], *list_of(store))


def test_a_topic_whose_beginning_is_gone_balances(store: Store) -> None:
    """The ledger begins at the oldest offset left when the group is committed there."""
    sink, intake = sink_of(store, committed=40)
    assert {("items", 0): 40} == intake.sought
    sink.write(items_batch(item("a"), item("b"), first=40))
    row = ledger_of_items(store)
    assert (40, 42, 0) == (row.first_offset, row.next_offset, imbalance(row))


def test_items_go_on_where_the_ledger_stands(store: Store) -> None:
    """Reading resumes where the ledger ends, whether the commit is behind or ahead of it."""
    sink_of(store)[0].write(items_batch(item("a"), b"bad", item("b")))
    for committed in (0, 2, 9):
        _, intake = sink_of(store, committed)
        assert {("items", 0): 3} == intake.sought


def test_items_of_a_partition_that_went_away_are_left_to_others(store: Store) -> None:
    """Items of a revoked partition that are still in a batch are not written."""
    sink, _ = sink_of(store)
    sink.revoked([("items", 0), ("samples", 0)])
    sink.write(items_batch(item("a")))
    assert [] == store.rows("SELECT * FROM items")


def list_of(store: Store) -> tuple[int, int]:
    """Return the number of accepted items and the next offset."""
    row = ledger_of_items(store)
    return row.counts["accepted"], row.next_offset
