"""What a round did, as it is kept."""

from typing import Final, NamedTuple

from mainstem.store.named import Query
from mainstem.store.store import Store
from mainstem.store.writes import columns_of_tuples

__all__ = ["ROUNDS", "KeptRound", "RecordedRound", "write_round"]


class KeptRound(NamedTuple):
    """One round: what it started from, what it drew, how it trained, what it was judged on, and what became of it."""

    version: int
    parent: int
    event_time: int
    offsets: list[int]
    drawn: int
    drawn_core: int
    drawn_edge: int
    cold: int
    steps: int
    epochs: int
    judged_on: str
    auc_before: float | None
    auc_after: float | None
    log_loss_before: float | None
    log_loss_after: float | None
    promoted: int
    reason: str


def write_round(store: Store, kept: KeptRound) -> None:
    """Write the row of a round."""
    store.write("rounds", columns_of_tuples([kept]))


class RecordedRound(NamedTuple):
    """What is needed of a round to go through it again; `place` is how many samples of all partitions there were."""

    version: int
    parent: int
    place: int
    drawn_core: int
    drawn_edge: int
    cold: int
    promoted: int
    reason: str


ROUNDS: Final = Query(
    RecordedRound,
    """
    SELECT version, parent, arraySum(offsets), drawn_core, drawn_edge, cold, promoted, reason
    FROM rounds FINAL ORDER BY version""",
)
"""All of them, the first one first."""
