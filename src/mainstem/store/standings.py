"""Standings, moves and judgements: written at each judgement, read back to go on from it."""

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

# rows of `stood_before` that are in memory at once
_CHUNK: Final = 65_536


class KeptStanding(NamedTuple):
    """Where a judgement put a sample, and the figures that decided it.

    Attributes:
        probably_right: probability that the label in the log is right; None unless evidence that
            has learnt from confirmed samples decided.
        weight: weight of the sample in the loss, in [0, 1].
        parts: names of the parts of learnt evidence; empty unless it decided.
        say: what each part adds to the log-odds that the label is wrong.
    """

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
    probably_right: float | None
    weight: float
    parts: Sequence[str]
    say: Sequence[float]


class KeptJudgement(NamedTuple):
    """One judgement of a partition.

    Attributes:
        partition, judgement: partition, and the position at which it was judged.
        version: newest version whose responses the judgement used.
        event_time: largest event time of the partition by then, in milliseconds.
        core, edge, contradictory, spent: samples that it put into each set.
        canaries: canaries that it compared the samples with.
        core_level: importance above which core lies; None where no sample has enough visits.
        verdict: `given`, or the reason why no sample could be called contradictory.
        decides: evidence that decided: `combined` if it was learnt, the names of parts if they
            needed no trusted samples, else `recent margin`.
        gate_core, gate_edge, gate_noise: confirmed samples of the gate by the set that they would
            be in; 0 unless evidence has learnt.
        gate_core_wrong, gate_edge_wrong, gate_noise_wrong: how many of them have a wrong label.
    """

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
    decides: str
    gate_core: int = 0
    gate_core_wrong: int = 0
    gate_edge: int = 0
    gate_edge_wrong: int = 0
    gate_noise: int = 0
    gate_noise_wrong: int = 0


class Stood(NamedTuple):
    """Where some samples stood.

    Attributes:
        keys: ids of the samples, 16 bytes each.
        standing, reason: standing of each sample, and why.
        label_version: label version at which each was judged.
        weight: weight of each in the loss.
    """

    keys: Sequence[bytes]
    standing: Sequence[str]
    reason: Sequence[str]
    label_version: Sequence[int]
    weight: Sequence[float]


_MOVES_AT: Final = f"""
    SELECT {", ".join(KeptStanding._fields)} FROM moves FINAL
    WHERE partition = {{partition:UInt32}} AND judgement = {{at:UInt64}}"""
_STOOD_BEFORE: Final = """
    SELECT UUIDStringToNum(toString(sample_id)), argMax(standing, judgement),
           argMax(reason, judgement), argMax(label_version, judgement), argMax(weight, judgement)
    FROM moves FINAL WHERE partition = {partition:UInt32} AND judgement <= {end:UInt64}
    GROUP BY sample_id"""


def write_standings(store: Store, standings: Sequence[KeptStanding]) -> None:
    """Write the present standings of samples, replacing their earlier ones."""
    store.write("standings", columns_of_tuples(standings))


def write_moves(
    store: Store, standings: Sequence[KeptStanding], before: Sequence[str], event_time: int
) -> None:
    """Write the moves of one judgement.

    Args:
        store: the history.
        standings: new standing of each sample that moved.
        before: standing of each before; empty where the sample was never judged.
        event_time: event time of the judgement in milliseconds.
    """
    if standings:
        more = {"before": before, "event_time": [event_time] * len(standings)}
        store.write("moves", {**columns_of_tuples(standings), **more})


def write_judgement(store: Store, kept: KeptJudgement) -> None:
    """Write the row of a judgement."""
    store.write("judgements", columns_of_tuples([kept]))


def moves_at(store: Store, partition: int, judgement: int) -> list[KeptStanding]:
    """New standings of the samples that the judgement at this position moved."""
    return [KeptStanding(*row) for row in store.rows(_MOVES_AT, partition=partition, at=judgement)]


def stood_before(store: Store, partition: int, end: int) -> Iterator[Stood]:
    """Where the samples of a partition stood after its judgements up to a position.

    Yields:
        Samples in chunks of some ten thousand, in no particular order.
    """
    rows = store.stream(_STOOD_BEFORE, partition=partition, end=end)
    while chunk := list(islice(rows, _CHUNK)):
        yield Stood(*zip(*chunk, strict=True))
