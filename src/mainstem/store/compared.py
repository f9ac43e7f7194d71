"""What two histories of one log are held against each other by: responses, standings, and which samples there are."""

from collections.abc import Iterator
from typing import Final, NamedTuple
from uuid import UUID

from mainstem.store.named import Query
from mainstem.store.store import Store

__all__ = ["FIRST_RESPONSES", "NEWEST_STANDINGS", "FirstResponse", "NewestStanding", "has_learnt", "samples_of"]


class FirstResponse(NamedTuple):
    """A response at version 0; `alignment` is None where the version had no direction."""

    sample_id: UUID
    label_version: int
    norm: float
    loss: float
    margin: float
    alignment: float | None


class NewestStanding(NamedTuple):
    """Where a sample stands, and the figures that say why; `p_value` is None where there is none."""

    sample_id: UUID
    standing: str
    reason: str
    p_value: float | None
    importance: float


FIRST_RESPONSES: Final = Query(
    FirstResponse,
    "SELECT sample_id, label_version, norm, loss, margin, alignment FROM responses FINAL WHERE version = 0",
)
NEWEST_STANDINGS: Final = Query(
    NewestStanding, "SELECT sample_id, standing, reason, p_value, importance FROM standings FINAL"
)


def has_learnt(store: Store) -> bool:
    """Whether a version after the first has scored anything."""
    return bool(store.rows("SELECT version FROM responses WHERE version > 0 LIMIT 1"))


def samples_of(store: Store, partition: int) -> Iterator[tuple[UUID, int]]:
    """Sample id and label version of each sample of a partition."""
    sql = "SELECT DISTINCT sample_id, label_version FROM samples WHERE partition = {partition:UInt32}"
    return ((sample_id, label_version) for sample_id, label_version in store.stream(sql, partition=partition))
