"""The ledger: every offset read is accounted for, and three sums show it in every row.

    next offset - first offset
              = question + outcome + context + duplicate + late + rejected + tick + control
    outcome   = joined + revised + orphaned + parked
    question  = answered + expired + open

For the catalogue's topic: read = accepted + rejected. Counts are cumulative per partition, so a row is a pure function of
the log up to its `next_offset`, and writing it twice is the same as once.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

__all__ = ["BLOCK", "COUNTS", "LedgerRow", "block_of", "imbalance", "new_counts", "totals"]

BLOCK: Final = 1000
"""Offsets between two rows of the ledger."""
_READ: Final = (
    "question",
    "outcome",
    "context",
    "duplicate",
    "late",
    "rejected",
    "tick",
    "control",
    "accepted",
)
_OUTCOME: Final = ("joined", "revised", "orphaned", "parked")
_QUESTION: Final = ("answered", "expired", "open")
COUNTS: Final = (*_READ, *_OUTCOME, *_QUESTION, "unknown_item")
"""All that is counted. `unknown_item` stands outside the sums: items of questions that the catalogue did not know."""


class LedgerRow(Struct, frozen=True, kw_only=True):
    """The counts of one partition of one topic from `first_offset` up to `next_offset`, which lies in `block`.

    `first_offset` is above 0 where the broker had deleted the beginning before anything was read.
    """

    topic: str
    partition: int
    block: int
    next_offset: int
    counts: dict[str, int]
    first_offset: int = 0


def new_counts() -> dict[str, int]:
    """Every count at zero."""
    return dict.fromkeys(COUNTS, 0)


def block_of(next_offset: int) -> int:
    """The block that the last offset read lies in."""
    return max(next_offset - 1, 0) // BLOCK


def imbalance(row: LedgerRow) -> int:
    """By how much the three sums of a row are out, added up; 0 when the ledger balances.

    Example:
        >>> counts = new_counts() | {"question": 2, "answered": 1, "open": 1}
        >>> imbalance(LedgerRow(topic="events", partition=0, block=0, next_offset=2, counts=counts))
        0
    """
    counts = row.counts
    return (
        abs(row.next_offset - row.first_offset - sum(counts[name] for name in _READ))
        + abs(counts["outcome"] - sum(counts[name] for name in _OUTCOME))
        + abs(counts["question"] - sum(counts[name] for name in _QUESTION))
    )


def totals(rows: Iterable[LedgerRow]) -> Mapping[str, int]:
    """Each count added up over the newest rows of all partitions."""
    summed = new_counts()
    for row in rows:
        for name, count in row.counts.items():
            summed[name] += count
    return summed
