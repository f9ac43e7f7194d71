"""Queries that compare two histories of one log: responses, judgements, standings and samples."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple
from uuid import UUID

from mainstem.behaviour import Count
from mainstem.store.named import Query
from mainstem.store.store import Store

__all__ = [
    "ALL_FEATURES",
    "ALL_JUDGEMENTS",
    "ALL_RESPONSES",
    "FIRST_RESPONSES",
    "NEWEST_STANDINGS",
    "MadeFeatures",
    "MadeJudgement",
    "MadeResponse",
    "NewestStanding",
    "counts_of",
    "has_learnt",
    "hours_of",
    "met_later",
    "samples_of",
]


class MadeResponse(NamedTuple):
    """A response; `alignment` is None where the version has no trusted gradient."""

    sample_id: UUID
    label_version: int
    version: int
    norm: float
    loss: float
    margin: float
    alignment: float | None


class MadeFeatures(NamedTuple):
    """The features of a sample, and their names with commas between."""

    sample_id: UUID
    names: str
    values: list[float]


class NewestStanding(NamedTuple):
    """Where a sample stands, with the figures behind it; `p_value` is None where there is none."""

    sample_id: UUID
    standing: str
    reason: str
    p_value: float | None
    importance: float


class MadeJudgement(NamedTuple):
    """A judgement, and the number of samples that it put into each set."""

    partition: int
    judgement: int
    version: int
    core: int
    edge: int
    contradictory: int
    spent: int
    canaries: int
    verdict: str


_RESPONSES: Final = (
    "SELECT sample_id, label_version, version, norm, loss, margin, alignment FROM responses FINAL"
)
ALL_RESPONSES: Final = Query(MadeResponse, _RESPONSES)
FIRST_RESPONSES: Final = Query(MadeResponse, f"{_RESPONSES} WHERE version = 0")
ALL_FEATURES: Final = Query(MadeFeatures, "SELECT sample_id, names, values FROM features FINAL")
ALL_JUDGEMENTS: Final = Query(
    MadeJudgement,
    f"""
    SELECT {", ".join(MadeJudgement._fields)}
    FROM judgements FINAL ORDER BY partition, judgement""",
)
NEWEST_STANDINGS: Final = Query(
    NewestStanding, "SELECT sample_id, standing, reason, p_value, importance FROM standings FINAL"
)


def has_learnt(store: Store) -> bool:
    """Whether any version after the first has scored a sample."""
    return bool(store.rows("SELECT version FROM responses WHERE version > 0 LIMIT 1"))


def met_later(store: Store) -> set[tuple[UUID, int]]:
    """Samples that arrived while a version after the first was in use, which scored them first.

    Returns:
        Pairs of sample id and label version.
    """
    sql = """
        SELECT a.sample_id, a.label_version FROM accepted_samples AS a
        INNER JOIN (
            SELECT partition, min(position) AS since
            FROM turns FINAL WHERE version > 0 GROUP BY partition) AS t
        ON a.partition = t.partition WHERE a.position >= t.since"""
    return {(sample_id, label_version) for sample_id, label_version in store.stream(sql)}


def samples_of(store: Store, partition: int) -> Iterator[tuple[UUID, int]]:
    """Sample id and label version of each sample of a partition."""
    sql = """
        SELECT DISTINCT sample_id, label_version FROM samples
        WHERE partition = {partition:UInt32}"""
    rows = store.stream(sql, partition=partition)
    return ((sample_id, label_version) for sample_id, label_version in rows)


def hours_of(store: Store, partition: int) -> Iterator[tuple[int, int, int, int]]:
    """The closing records of a partition of events: first, last hour, counts, and uncounted."""
    sql = """
        SELECT first, hour, counts, uncounted FROM hours FINAL
        WHERE partition = {partition:UInt32}"""
    rows = store.stream(sql, partition=partition)
    return ((first, hour, counts, uncounted) for first, hour, counts, uncounted in rows)


def counts_of(store: Store, partition: int) -> Iterator[tuple[Any, ...]]:
    """The counts of a partition of events: the hour, then the fields of `Count`, of each."""
    sql = f"""
        SELECT hour, {", ".join(Count.__struct_fields__)} FROM counts FINAL
        WHERE partition = {{partition:UInt32}}"""
    return store.stream(sql, partition=partition)
