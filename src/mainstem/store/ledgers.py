"""The ledger, as it is read back."""

from mainstem.join import LedgerRow, new_counts
from mainstem.join.ledger import COUNTS, block_of
from mainstem.store.store import Store

__all__ = ["ledger_of_items", "newest_ledger"]


def newest_ledger(store: Store) -> list[LedgerRow]:
    """The newest row of every partition of every topic, by topic and partition."""
    sql = f"""
        SELECT topic, partition, block, first_offset, next_offset, {", ".join(COUNTS)} FROM ledger FINAL
        ORDER BY topic, partition, next_offset DESC LIMIT 1 BY topic, partition"""
    names = ("topic", "partition", "block", "first_offset", "next_offset")
    size = len(names)
    return [
        LedgerRow(**dict(zip(names, row[:size], strict=True)), counts=dict(zip(COUNTS, row[size:], strict=True)))
        for row in store.rows(sql)
    ]


def ledger_of_items(store: Store, partition: int) -> LedgerRow | None:
    """The newest row of a partition of topic `items`; None where there is none yet."""
    names = tuple(new_counts())
    sql = f"""
        SELECT first_offset, next_offset, {", ".join(names)} FROM ledger FINAL
        WHERE topic = 'items' AND partition = {{partition:UInt32}} ORDER BY next_offset DESC LIMIT 1"""
    for first, end, *counts in store.rows(sql, partition=partition):
        return LedgerRow(
            topic="items",
            partition=partition,
            block=block_of(end),
            first_offset=first,
            next_offset=end,
            counts=dict(zip(names, counts, strict=True)),
        )
    return None
