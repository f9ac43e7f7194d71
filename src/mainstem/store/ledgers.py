"""Read the ledger back."""

from typing import Any, Final

from mainstem.join import LedgerRow
from mainstem.join.ledger import COUNTS
from mainstem.store.store import Store

__all__ = ["ledger_of_items", "newest_ledger"]

_KEY: Final = ("topic", "partition", "block", "first_offset", "next_offset")
_ROWS: Final = f"SELECT {', '.join((*_KEY, *COUNTS))} FROM ledger FINAL"


def newest_ledger(store: Store) -> list[LedgerRow]:
    """The newest row of every partition of every topic, ordered by topic and partition."""
    sql = f"{_ROWS} ORDER BY topic, partition, next_offset DESC LIMIT 1 BY topic, partition"
    return [_row(values) for values in store.rows(sql)]


def ledger_of_items(store: Store, partition: int) -> LedgerRow | None:
    """The newest row of a partition of topic `items`; None where there is none yet."""
    sql = f"""
        {_ROWS} WHERE topic = 'items' AND partition = {{partition:UInt32}}
        ORDER BY next_offset DESC LIMIT 1"""
    return next((_row(values) for values in store.rows(sql, partition=partition)), None)


def _row(values: tuple[Any, ...]) -> LedgerRow:
    size = len(_KEY)
    return LedgerRow(
        **dict(zip(_KEY, values[:size], strict=True)),
        counts=dict(zip(COUNTS, values[size:], strict=True)),
    )
