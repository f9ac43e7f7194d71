"""The positions of accepted samples, and what was accepted before a position."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple
from uuid import UUID

from mainstem.store.named import Query, Row
from mainstem.store.store import Store

__all__ = [
    "AcceptedSample",
    "PartitionEnd",
    "accepted_versions",
    "accepted_without_response",
    "adopt_offsets",
    "ends_of_positions",
    "of_partition",
    "positions_of",
]


class AcceptedSample(NamedTuple):
    """An accepted sample at its newest label version; `event_time` is in milliseconds."""

    sample_id: UUID
    label_version: int
    event_time: int


class PartitionEnd(NamedTuple):
    """The next position of a partition, and its largest event time in milliseconds."""

    partition: int
    position: int
    event_time: int


class _One(NamedTuple):
    partition: int


class _VersionOf(NamedTuple):
    sample_id: UUID
    label_version: int


class _PositionOf(NamedTuple):
    sample_id: UUID
    label_version: int
    position: int


_EMBEDDED: Final = (
    "SELECT partition, offset AS position, sample_id, label_version, event_time FROM samples"
)
_ONE_OF: Final = Query(
    _One, "SELECT partition FROM positions WHERE partition = {partition:UInt32} LIMIT 1"
)
_VERSIONS: Final = Query(
    _VersionOf,
    """
    SELECT sample_id, max(label_version) FROM accepted_samples
    WHERE partition = {partition:UInt32} AND position < {end:UInt64}
      AND sample_id IN {ids:Array(UUID)}
    GROUP BY sample_id""",
)
_WITHOUT_RESPONSE: Final = Query(
    AcceptedSample,
    """
    SELECT sample_id, max(label_version), toUnixTimestamp64Milli(max(event_time))
    FROM accepted_samples
    WHERE partition = {partition:UInt32} AND position < {end:UInt64}
      AND toUnixTimestamp64Milli(event_time) >= {left:Int64}
      AND (sample_id, label_version) NOT IN (
          SELECT sample_id, label_version FROM responses
          WHERE partition = {partition:UInt32} AND part NOT IN ('direction', 'gate'))
    GROUP BY sample_id""",
)
_POSITIONS: Final = Query(
    _PositionOf,
    """
    SELECT sample_id, label_version, position FROM accepted_samples
    WHERE sample_id IN {ids:Array(UUID)}""",
)
_ENDS: Final = Query(
    PartitionEnd,
    """
    SELECT partition, max(position) + 1, toUnixTimestamp64Milli(max(event_time)) FROM positions
    GROUP BY partition ORDER BY partition""",
)
_END_BEFORE: Final = Query(
    PartitionEnd,
    """
    SELECT partition, max(position) + 1, toUnixTimestamp64Milli(max(event_time)) FROM positions
    WHERE partition = {partition:UInt32} AND offset < {offset:UInt64} GROUP BY partition""",
)
_ADOPT: Final = """
    INSERT INTO positions (partition, position, sample_id, label_version, event_time, offset)
    SELECT partition, offset, sample_id, label_version, event_time, offset FROM samples FINAL
    WHERE partition = {partition:UInt32} AND offset < {end:UInt64}"""


def of_partition(query: Query[Row], store: Store, partition: int) -> Query[Row]:
    """A query to view `accepted_samples` about one partition, which then reads one table, not two.

    Args:
        query: reads columns `partition`, `position`, `sample_id`, `label_version` and `event_time`
            of the view, and does not mind a row that is there twice.
        store: the history.
        partition: the partition that the query asks about.
    """
    counted = bool(_ONE_OF.of(store, partition=partition))
    source = "positions" if counted else f"({_EMBEDDED})"
    return Query(query.row, query.sql.replace("accepted_samples", source))


def accepted_versions(
    store: Store, partition: int, end: int, sample_ids: Sequence[UUID]
) -> dict[UUID, int]:
    """The newest label version at which each of these samples was accepted before a position.

    A sample that was not accepted before it is left out.
    """
    query = of_partition(_VERSIONS, store, partition)
    found = query.of(store, partition=partition, end=end, ids=list(sample_ids))
    return {one.sample_id: one.label_version for one in found}


def accepted_without_response(
    store: Store, partition: int, end: int, left: int
) -> Iterator[AcceptedSample]:
    """Samples that were accepted before a position and have no row.

    Most of them are samples of direction and gate. Confirmed ones have responses, but no row among
    the samples that are judged.

    Args:
        store: the history.
        partition: partition of the samples.
        end: position up to which (exclusive) samples count.
        left: event time in milliseconds; samples before it are left out.
    """
    query = of_partition(_WITHOUT_RESPONSE, store, partition)
    return query.stream(store, partition=partition, end=end, left=left)


def positions_of(store: Store, samples: Iterable[tuple[UUID, int]]) -> dict[tuple[UUID, int], int]:
    """Positions of those among some samples that were accepted, by id and label version.

    Args:
        store: the history.
        samples: pairs of sample id and label version.
    """
    wanted = set(samples)
    ids = list({sample_id for sample_id, _ in wanted})
    found = _POSITIONS.of(store, ids=ids) if wanted else []
    return {
        (one.sample_id, one.label_version): one.position
        for one in found
        if (one.sample_id, one.label_version) in wanted
    }


def ends_of_positions(store: Store, *, before: tuple[int, int] | None = None) -> list[PartitionEnd]:
    """The end of each partition that has rows in table `positions`.

    Args:
        store: the history.
        before: a partition and an offset of topic `samples`; only samples of this partition that a
            record before this offset brought first count. None counts all.
    """
    if before is None:
        return _ENDS.of(store)
    partition, offset = before
    return _END_BEFORE.of(store, partition=partition, offset=offset)


def adopt_offsets(store: Store, partition: int, end: int) -> None:
    """Write the offsets below `end` as positions, for a history from before there were positions.

    Such a history counted records, and its responses hold offsets.
    """
    store.execute(_ADOPT, partition=partition, end=end)
