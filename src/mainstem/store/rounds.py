"""Rounds, written and read back."""

from typing import Final, NamedTuple

from mainstem.store.named import Query
from mainstem.store.store import Store
from mainstem.store.writes import columns_of_tuples

__all__ = ["ROUNDS", "KeptRound", "RecordedRound", "useful_epochs", "write_round"]


class KeptRound(NamedTuple):
    """The row of one round.

    Attributes:
        version, parent: number of the version that it made, and of the version it started from.
        event_time: event time at which it started, in milliseconds.
        offsets: next position of each partition when it started, by partition number.
        drawn, drawn_core, drawn_edge: samples that it drew, in all, from core and from edge.
        cold: 1 if it drew without importance because core was too small.
        steps, epochs: training steps and passes over the draw.
        judged_on: `gate` or `held_out`, the samples that the gate decided on; empty if the round
            trained no version.
        auc_before, auc_after: AUC of the parent and of the new version on those samples; None if it
            has no value.
        log_loss_before, log_loss_after: log loss of both on those samples.
        promoted, reason: 1 if the gate promoted the version, and why or why not.
        harder: probability that a confirmed gate sample with a wrong label is harder for the parent
            than one with a right label; None if that was not measured.
        weighed: 1 if samples counted in the loss by how likely their labels were right.
    """

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
    harder: float | None = None
    weighed: int = 1


def write_round(store: Store, kept: KeptRound) -> None:
    """Write the row of a round."""
    store.write("rounds", columns_of_tuples([kept]))


class RecordedRound(NamedTuple):
    """The part of a round that is needed to repeat it.

    `samples` is the number of samples of all partitions that had arrived when it started.
    """

    version: int
    parent: int
    samples: int
    drawn_core: int
    drawn_edge: int
    cold: int
    promoted: int
    reason: str


class _Epochs(NamedTuple):
    epochs: int


_EPOCHS: Final = Query(
    _Epochs, "SELECT epochs FROM rounds FINAL WHERE version < {version:UInt32} ORDER BY version"
)


def useful_epochs(store: Store, version: int) -> list[int]:
    """For each round before that of a version, the pass after which its held-out loss was lowest.

    0 stands for a round that trained nothing.
    """
    return [one.epochs for one in _EPOCHS.of(store, version=version)]


ROUNDS: Final = Query(
    RecordedRound,
    """
    SELECT version, parent, arraySum(offsets), drawn_core, drawn_edge, cold, promoted, reason
    FROM rounds FINAL ORDER BY version""",
)
"""All rounds, ordered by version."""
