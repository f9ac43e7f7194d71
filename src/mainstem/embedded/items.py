"""Write the item events of an embedded replay, which the survey of the log has collected."""

from typing import Final

from mainstem.events.survey import Survey
from mainstem.join import LedgerRow, Rejection, rejection_of
from mainstem.join.ledger import BLOCK, block_of, new_counts
from mainstem.store import Store
from mainstem.store.writes import item_columns

__all__ = ["write_items"]

_CHUNK: Final = 10 * BLOCK


def write_items(store: Store, found: Survey, key: bytes) -> tuple[LedgerRow, list[Rejection]]:
    """Write the items of a log.

    Args:
        store: the history.
        found: survey of the log.
        key: secret of the digests of refused events.

    Returns:
        The ledger row of topic `items`, and the item events that were refused.
    """
    counts = new_counts() | {"accepted": len(found.items), "rejected": len(found.refused_items)}
    read = counts["accepted"] + counts["rejected"]
    for start in range(0, len(found.items), _CHUNK):
        store.write("items", item_columns(found.items[start : start + _CHUNK]))
    row = LedgerRow(
        topic="items", partition=0, block=block_of(read), next_offset=read, counts=counts
    )
    return row, [
        rejection_of(refusal, "items", 0, offset, key) for offset, refusal in found.refused_items
    ]
