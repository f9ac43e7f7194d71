"""What is to be known of a history to repeat it elsewhere: the order of its samples, its rounds, what they drew."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple
from uuid import UUID

from mainstem.store.named import Query
from mainstem.store.rounds import KeptRound, write_round
from mainstem.store.store import Store
from mainstem.store.writes import columns_of_tuples

__all__ = [
    "DRAWS",
    "KEPT_ROUNDS",
    "ORDER",
    "SCALES",
    "AcceptedAt",
    "KeptDraw",
    "KeptScale",
    "write_rounds_again",
]


class AcceptedAt(NamedTuple):
    """A sample that was accepted, and its position."""

    partition: int
    position: int
    sample_id: UUID
    label_version: int


class KeptDraw(NamedTuple):
    """A sample that a promoted version was trained on, as it was drawn."""

    version: int
    sample_id: UUID
    label_version: int
    standing: str
    probability: float


class KeptScale(NamedTuple):
    """What the norms at a version were divided by."""

    version: int
    scale: float


ORDER: Final = Query(
    AcceptedAt,
    "SELECT DISTINCT partition, position, sample_id, label_version FROM accepted_samples ORDER BY partition, position",
)
KEPT_ROUNDS: Final = Query(
    KeptRound,
    f"""
    SELECT {", ".join(KeptRound._fields).replace("event_time", "toUnixTimestamp64Milli(event_time)")}
    FROM rounds FINAL ORDER BY version""",
)
SCALES: Final = Query(
    KeptScale, "SELECT version, any(scale) FROM responses GROUP BY version ORDER BY version"
)
DRAWS: Final = Query(
    KeptDraw,
    """
    SELECT version, sample_id, label_version, standing, probability FROM draws FINAL
    WHERE version IN (SELECT version FROM versions FINAL WHERE promoted) ORDER BY version, sample_id""",
)


def write_rounds_again(
    store: Store, rounds: Iterable[KeptRound], draws: Sequence[KeptDraw]
) -> None:
    """Write the rounds of another history, and what they drew."""
    for one in rounds:
        write_round(store, one)
    store.write("draws", columns_of_tuples(draws))
