"""The ledger: its three sums, its blocks and its totals."""

import pytest

from mainstem.join import BLOCK, LedgerRow, imbalance, new_counts, totals
from mainstem.join.ledger import COUNTS, block_of

BALANCED = {
    "question": 3,
    "outcome": 10,
    "context": 5,
    "duplicate": 6,
    "late": 7,
    "rejected": 8,
    "tick": 9,
    "control": 10,
    "joined": 1,
    "revised": 2,
    "orphaned": 3,
    "parked": 4,
    "answered": 1,
    "expired": 1,
    "open": 1,
    "unknown_item": 99,
}


def row(next_offset: int, partition: int = 0, **counts: int) -> LedgerRow:
    return LedgerRow(
        topic="events",
        partition=partition,
        block=block_of(next_offset),
        next_offset=next_offset,
        counts=new_counts() | counts,
    )


def test_a_row_balances_when_its_three_sums_hold() -> None:
    """A row balances if offsets, outcomes and questions add up; unknown items are outside."""
    assert 0 == imbalance(row(58, **BALANCED))


def test_the_ledger_of_nothing_balances() -> None:
    """Before the first event all counts are zero."""
    assert 0 == imbalance(row(0))


@pytest.mark.parametrize("name", sorted(BALANCED.keys() - {"unknown_item"}))
@pytest.mark.parametrize("change", [-1, 1])
def test_one_count_that_is_out_is_seen(name: str, change: int) -> None:
    """Any single count that is off by one shows."""
    out = imbalance(row(58, **BALANCED | {name: BALANCED[name] + change}))
    assert (2 if name in {"question", "outcome"} else 1) == out


def test_errors_do_not_cancel_out() -> None:
    """One sum that is too large and one that is too small are two errors."""
    assert 2 == imbalance(row(58, **BALANCED | {"joined": 0, "open": 2}))


def test_the_items_topic_balances_too() -> None:
    """In topic `items` every offset is accepted or rejected."""
    assert 0 == imbalance(row(7, accepted=5, rejected=2))


@pytest.mark.parametrize(
    ("next_offset", "block"),
    [(0, 0), (1, 0), (BLOCK, 0), (BLOCK + 1, 1), (2 * BLOCK, 1), (2 * BLOCK + 1, 2)],
)
def test_a_row_lies_in_the_block_of_its_last_offset(next_offset: int, block: int) -> None:
    """A row at the end of a block belongs to that block."""
    assert block == block_of(next_offset)


def test_counts_start_at_zero_and_are_ones_own() -> None:
    """New counts hold every name once and are not shared."""
    first = new_counts()
    first["tick"] += 1
    assert dict.fromkeys(COUNTS, 0) == new_counts()
    assert len(COUNTS) == len(set(COUNTS))


def test_totals_add_up_partitions() -> None:
    """Totals add each count over the rows, and without rows all are zero."""
    rows = [row(4, 0, question=1, tick=3), row(8, 1, question=2, tick=6)]
    assert new_counts() | {"question": 3, "tick": 9} == totals(rows)
    assert new_counts() == totals([])
