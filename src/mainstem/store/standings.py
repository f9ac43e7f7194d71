"""Standings as they are written at a judgement, and read back by whoever goes on from there."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple
from uuid import UUID

from mainstem.store.store import Store
from mainstem.store.writes import columns_of_tuples

__all__ = [
    "KeptJudgement",
    "KeptStanding",
    "Stood",
    "moves_at",
    "stood_before",
    "write_judgement",
    "write_moves",
    "write_standings",
]

_CHUNK: Final = 65_536


class KeptStanding(NamedTuple):
    """Where a judgement put a sample, and the figures that it was judged on."""

    sample_id: UUID
    label_version: int
    partition: int
    judgement: int
    version: int
    standing: str
    reason: str
    p_value: float | None
    evidence: float | None
    importance: float
    margin: float
    visits: int
    alignment: float | None
    importance_of_mean: float | None


class KeptJudgement(NamedTuple):
    """One judgement of a partition: at which position, by which version's responses, and how many it put where."""

    partition: int
    judgement: int
    version: int
    event_time: int
    core: int
    edge: int
    contradictory: int
    spent: int
    canaries: int
    core_level: float | None
    verdict: str


class Stood(NamedTuple):
    """Where some samples stood: their ids as 16 bytes each, and the label version that they were judged at."""

    keys: Sequence[bytes]
    standing: Sequence[str]
    reason: Sequence[str]
    label_version: Sequence[int]


_MOVES_AT: Final = f"""
    SELECT {", ".join(KeptStanding._fields)} FROM moves FINAL
    WHERE partition = {{partition:UInt32}} AND judgement = {{at:UInt64}}"""
_STOOD_BEFORE: Final = """
    SELECT UUIDStringToNum(toString(sample_id)), argMax(standing, judgement), argMax(reason, judgement),
           argMax(label_version, judgement)
    FROM moves FINAL WHERE partition = {partition:UInt32} AND judgement <= {end:UInt64} GROUP BY sample_id"""


def write_standings(store: Store, standings: Sequence[KeptStanding]) -> None:
    """Write where samples stand from now on."""
    store.write("standings", columns_of_tuples(standings))


def write_moves(
    store: Store, standings: Sequence[KeptStanding], before: Sequence[str], event_time: int
) -> None:
    """Write samples that moved, and where they stood before: `` where they were never judged."""
    if standings:
        more = {"before": before, "event_time": [event_time] * len(standings)}
        store.write("moves", {**columns_of_tuples(standings), **more})


def write_judgement(store: Store, kept: KeptJudgement) -> None:
    """Write that a partition was judged."""
    store.write("judgements", columns_of_tuples([kept]))


def moves_at(store: Store, partition: int, judgement: int) -> list[KeptStanding]:
    """The samples that a judgement moved, and where to."""
    return [KeptStanding(*row) for row in store.rows(_MOVES_AT, partition=partition, at=judgement)]


def stood_before(store: Store, partition: int, end: int) -> Iterator[Stood]:
    """Where the samples of a partition stood after the judgements up to a position, many thousands at a time."""
    rows = store.stream(_STOOD_BEFORE, partition=partition, end=end)
    while chunk := list(islice(rows, _CHUNK)):
        yield Stood(*zip(*chunk, strict=True))
