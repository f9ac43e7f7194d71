"""Batches for a sink, and the fakes around it."""

import random
from typing import Any

from mainstem.behaviour import Count, Hour
from mainstem.events import Item, encode
from mainstem.join import LedgerRow, Rejection, Sample
from mainstem.kafka.hours import encode_hour
from mainstem.kafka.messages import encode as encode_message
from mainstem.kafka.messages import questions_of
from mainstem.store import Store
from mainstem.store.ledgers import newest_ledger
from mainstem.streams.sink import SINK_TOPICS, Sink
from tests.join.shop import KEY, short
from tests.streams.fakes import FakeRecord, plainly, shop_log

SETTINGS = short(direction_share=0.3, canary_share=0.3, gate_share=0.2)
TABLES = ("samples", "trusted", "ledger", "rejected", "items", "counts", "hours")
Batch = list[tuple[str, Any]]


class FakeIntake:
    """An intake that reports a committed offset and records each seek."""

    def __init__(self, committed: int = 0) -> None:
        self.sought: dict[tuple[str, int], int] = {}
        self.read_to = 0
        self._committed = committed

    def committed(self, _: tuple[str, int]) -> int:
        """Return the committed offset of the group."""
        return self._committed

    def seek(self, place: tuple[str, int], offset: int) -> None:
        """Record a seek."""
        self.sought[place] = offset

    def position(self, _: tuple[str, int]) -> int:
        """Return the offset up to which the partition was read."""
        return self.read_to


def sink_of(store: Any, committed: int = 0) -> tuple[Sink, FakeIntake]:
    """Return a sink that owns partition 0 of every topic."""
    sink, intake = Sink(store, SETTINGS, KEY), FakeIntake(committed)
    sink.assigned([(topic, 0) for topic in SINK_TOPICS], intake)
    return sink, intake


def joined_batch(seed: int = 0) -> tuple[Batch, list[Sample], list[Rejection], list[LedgerRow]]:
    """Return the records that a worker sends for a small log, and their contents."""
    joined = plainly(shop_log(random.Random(seed), 1, 120), 0)
    values = [("samples", encode_message(samples)) for _, samples in questions_of(joined.samples)]
    values += [("rejected", encode_message(rejection)) for rejection in joined.rejections]
    values += [("ledger", encode_message(joined.row))]
    values += [("counts", value) for hour in (7, 8) for value in encode_hour(hour_of_counts(hour))]
    batch = [(topic, FakeRecord(0, offset, value)) for offset, (topic, value) in enumerate(values)]
    return batch, joined.samples, joined.rejections, [joined.row]


def hour_of_counts(hour: int, rows: int = 3, *, uncounted: int = 0, shown: int = 1) -> Hour:
    """Return an hour of partition 0 with counts of some items."""
    counts = [Count("item", f"i{row}", "", 0, shown, 0, 0, 0, 0, 0) for row in range(rows)]
    return Hour(partition=0, first=hour, hour=hour, counts=counts, uncounted=uncounted)


def item(name: str, time: int = 0) -> bytes:
    """Return an encoded item."""
    return encode(Item(event_id=f"i-{name}", event_timestamp=time, item_id=name, title=name))


def items_batch(*values: bytes | None, first: int = 0) -> Batch:
    """Return records of topic `items`; None is an offset without a record."""
    return [
        ("items", FakeRecord(0, first + place, value))
        for place, value in enumerate(values)
        if value is not None
    ]


def contents(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of every table of the history."""
    return {table: sorted(store.rows(f"SELECT * FROM {table} FINAL"), key=repr) for table in TABLES}


def ledger_of_items(store: Store) -> LedgerRow:
    """Return the newest ledger row of partition 0 of topic `items`."""
    [row] = [row for row in newest_ledger(store) if row.topic == "items"]
    return row
