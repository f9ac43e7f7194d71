"""The ledger accounts for every offset that was read. Three sums hold in each of its rows.

    next offset - first offset
              = question + outcome + context + duplicate + late + rejected + tick + control
    outcome   = joined + revised + orphaned + parked
    question  = answered + expired + open

In the rows of topic `items`, next offset - first offset = accepted + rejected. Counts are
cumulative per partition, so a row is a pure function of the log up to its `next_offset`, and
writing it twice is the same as writing it once.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

__all__ = ["BLOCK", "COUNTS", "LedgerRow", "block_of", "imbalance", "new_counts", "totals"]

BLOCK: Final = 1000
"""Number of offsets between two rows of the ledger."""
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
"""Names of all counts.

`unknown_item` is part of no sum; it counts the items of questions that the catalogue did not know.
"""


class LedgerRow(Struct, frozen=True, kw_only=True):
    """The counts of one partition of one topic.

    Attributes:
        topic: short name of the topic that is counted.
        partition: partition that is counted.
        block: number of the block of 1,000 offsets that holds the last offset counted.
        next_offset: offset after the last one counted.
        counts: counts by name, such as `question` and `joined`.
        first_offset: first offset counted. It is above 0 if the broker had deleted older events
            before the partition was first read.
    """

    topic: str
    partition: int
    block: int
    next_offset: int
    counts: dict[str, int]
    first_offset: int = 0


def new_counts() -> dict[str, int]:
    """Counts of all names, at zero."""
    return dict.fromkeys(COUNTS, 0)


def block_of(next_offset: int) -> int:
    """Number of the block that holds the last offset read."""
    return max(next_offset - 1, 0) // BLOCK


def imbalance(row: LedgerRow) -> int:
    """How far the three sums of a row are out, added up; 0 if the ledger balances.

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
    """Add up each count over rows, which should be the newest row of each partition."""
    summed = new_counts()
    for row in rows:
        for name, count in row.counts.items():
            summed[name] += count
    return summed
