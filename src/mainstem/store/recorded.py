"""Queries for repeating a history: the order of its samples, its rounds, and what they drew."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple
from uuid import UUID

from mainstem.store.named import Query
from mainstem.store.rounds import KeptRound, write_round
from mainstem.store.store import Store
from mainstem.store.writes import columns_of_tuples

__all__ = [
    "DRAWS",
    "DRAW_OF",
    "KEPT_ROUNDS",
    "ORDER",
    "ROUND_OF",
    "SCALES",
    "AcceptedAt",
    "KeptDraw",
    "KeptScale",
    "write_rounds_again",
]


class AcceptedAt(NamedTuple):
    """An accepted sample at its position."""

    partition: int
    position: int
    sample_id: UUID
    label_version: int


class KeptDraw(NamedTuple):
    """A sample that a promoted version was trained on.

    `label_version` and `standing` are those it was drawn with; `probability` is the probability
    that a single draw picks it.
    """

    version: int
    sample_id: UUID
    label_version: int
    standing: str
    probability: float


class KeptScale(NamedTuple):
    """The scale of a version, by which norms of its responses are divided."""

    version: int
    scale: float


_FIELDS: Final = ", ".join(KeptRound._fields)
_COLUMNS: Final = _FIELDS.replace("event_time", "toUnixTimestamp64Milli(event_time)")
_ROUNDS: Final = f"SELECT {_COLUMNS} FROM rounds FINAL"
_DRAWS: Final = "SELECT version, sample_id, label_version, standing, probability FROM draws FINAL"
ORDER: Final = Query(
    AcceptedAt,
    """
    SELECT DISTINCT partition, position, sample_id, label_version FROM accepted_samples
    ORDER BY partition, position""",
)
"""All accepted samples, partition by partition, in the order of their positions."""
KEPT_ROUNDS: Final = Query(KeptRound, f"{_ROUNDS} ORDER BY version")
"""All rounds, ordered by version."""
ROUND_OF: Final = Query(KeptRound, f"{_ROUNDS} WHERE version = {{version:UInt32}}")
"""The round with one number, if there is one."""
DRAWS: Final = Query(
    KeptDraw,
    f"""
    {_DRAWS} WHERE version IN (SELECT version FROM versions FINAL WHERE promoted)
    ORDER BY version, sample_id""",
)
"""The samples that promoted versions were trained on, version by version."""
DRAW_OF: Final = Query(KeptDraw, f"{_DRAWS} WHERE version = {{version:UInt32}}")
"""The samples that the round with one number drew."""
SCALES: Final = Query(
    KeptScale, "SELECT version, any(scale) FROM responses GROUP BY version ORDER BY version"
)
"""The scales of the versions that scored."""


def write_rounds_again(
    store: Store, rounds: Iterable[KeptRound], draws: Sequence[KeptDraw]
) -> None:
    """Write the rounds of another history, and their draws."""
    for one in rounds:
        write_round(store, one)
    store.write("draws", columns_of_tuples(draws))
