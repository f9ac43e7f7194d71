"""The ledger, as it is read back to go on with."""

from mainstem.join import LedgerRow, new_counts
from mainstem.join.ledger import block_of
from mainstem.store.store import Store

__all__ = ["ledger_of_items"]


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
