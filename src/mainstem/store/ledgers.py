"""Read the ledger back."""

from typing import Final, NamedTuple

from mainstem.join import LedgerRow
from mainstem.join.ledger import COUNTS
from mainstem.store.named import Query
from mainstem.store.store import Store

__all__ = ["NEWEST_LEDGER", "KeptLedger", "ledger_of_items", "ledger_row", "newest_ledger"]


class KeptLedger(NamedTuple):
    """A row of the ledger as it is stored; `counts` are in the order of `COUNTS`."""

    topic: str
    partition: int
    block: int
    first_offset: int
    next_offset: int
    counts: list[int]


_ROWS: Final = f"""
    SELECT topic, partition, block, first_offset, next_offset, [{", ".join(COUNTS)}] AS counts
    FROM ledger FINAL"""
NEWEST_LEDGER: Final = Query(
    KeptLedger,
    f"{_ROWS} ORDER BY topic, partition, next_offset DESC LIMIT 1 BY topic, partition",
)
"""The newest row of every partition of every topic, ordered by topic and partition."""
_OF_ITEMS: Final = Query(
    KeptLedger,
    f"""
    {_ROWS} WHERE topic = 'items' AND partition = {{partition:UInt32}}
    ORDER BY next_offset DESC LIMIT 1""",
)


def newest_ledger(store: Store) -> list[LedgerRow]:
    """The newest row of every partition of every topic, ordered by topic and partition."""
    return [ledger_row(one) for one in NEWEST_LEDGER.of(store)]


def ledger_of_items(store: Store, partition: int) -> LedgerRow | None:
    """The newest row of a partition of topic `items`; None where there is none yet."""
    return next((ledger_row(one) for one in _OF_ITEMS.of(store, partition=partition)), None)


def ledger_row(kept: KeptLedger) -> LedgerRow:
    """A stored row with its counts by name."""
    return LedgerRow(
        topic=kept.topic,
        partition=kept.partition,
        block=kept.block,
        first_offset=kept.first_offset,
        next_offset=kept.next_offset,
        counts=dict(zip(COUNTS, kept.counts, strict=True)),
    )
