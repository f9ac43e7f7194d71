"""What must be known of judgements and rounds in order to make them again with other settings."""

from typing import Final, NamedTuple

from mainstem.store.named import Query
from mainstem.store.store import Store

__all__ = [
    "JudgementThere",
    "RoundThere",
    "judged_partitions",
    "judgement_there",
    "labels_are_believed",
    "last_round",
]


class JudgementThere(NamedTuple):
    """A judgement of a partition.

    Attributes:
        position: its position.
        event_time: largest event time by then, in milliseconds.
        version: newest version whose responses it used.
    """

    position: int
    event_time: int
    version: int


class RoundThere(NamedTuple):
    """A round.

    Attributes:
        version, parent: its number, and the version it started from.
        offsets: next position of each partition.
        weighed: 1 if its draw heeded importance and evidence.
    """

    version: int
    parent: int
    offsets: list[int]
    weighed: int


class _Partition(NamedTuple):
    partition: int


class _Believed(NamedTuple):
    believed: int


_PARTITIONS: Final = Query(
    _Partition, "SELECT DISTINCT partition FROM judgements ORDER BY partition"
)
_JUDGEMENT: Final = Query(
    JudgementThere,
    """
    SELECT judgement, toUnixTimestamp64Milli(event_time), version FROM judgements FINAL
    WHERE partition = {partition:UInt32} AND judgement <= {end:UInt64}
    ORDER BY judgement DESC LIMIT 1""",
)
_LAST_ROUND: Final = Query(
    RoundThere,
    "SELECT version, parent, offsets, weighed FROM rounds FINAL ORDER BY version DESC LIMIT 1",
)
_BELIEVED: Final = Query(_Believed, "SELECT max(believed) FROM trusted")


def judged_partitions(store: Store) -> list[int]:
    """The partitions that were judged."""
    return [one.partition for one in _PARTITIONS.of(store)]


def judgement_there(store: Store, partition: int, end: int) -> JudgementThere | None:
    """The last judgement of a partition at or before a position; None before the first."""
    return next(iter(_JUDGEMENT.of(store, partition=partition, end=end)), None)


def last_round(store: Store) -> RoundThere | None:
    """The last round, whether its version was promoted or not; None before the first."""
    return next(iter(_LAST_ROUND.of(store)), None)


def labels_are_believed(store: Store) -> bool:
    """Whether somebody vouched for the labels of trusted samples, so that they decide verdicts."""
    return any(one.believed for one in _BELIEVED.of(store))
