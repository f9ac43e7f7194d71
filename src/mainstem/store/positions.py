"""The positions of accepted samples, and what was accepted before a position."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple
from uuid import UUID

from mainstem.store.store import Store

__all__ = [
    "AcceptedSample",
    "PartitionEnd",
    "accepted_in",
    "accepted_versions",
    "accepted_without_response",
    "adopt_offsets",
    "ends_of_positions",
    "positions_of",
]


_EMBEDDED: Final = (
    "SELECT partition, offset AS position, sample_id, label_version, event_time FROM samples"
)


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


def accepted_in(store: Store, partition: int) -> str:
    """The SQL source of a partition's accepted samples.

    View `accepted_samples` has the same rows, but reads two tables where this source reads one.

    Returns:
        Text to put after FROM. Its columns are `partition`, `position`, `sample_id`,
        `label_version` and `event_time`; it may hold a row twice.
    """
    sql = "SELECT 1 FROM positions WHERE partition = {partition:UInt32} LIMIT 1"
    return "positions" if store.rows(sql, partition=partition) else f"({_EMBEDDED})"


def accepted_versions(
    store: Store, partition: int, end: int, sample_ids: Sequence[UUID]
) -> dict[UUID, int]:
    """The newest label version at which each of these samples was accepted before a position.

    A sample that was not accepted before it is left out.
    """
    sql = f"""
        SELECT sample_id, max(label_version) FROM {accepted_in(store, partition)}
        WHERE partition = {{partition:UInt32}} AND position < {{end:UInt64}}
          AND sample_id IN {{ids:Array(UUID)}}
        GROUP BY sample_id"""
    return dict(store.rows(sql, partition=partition, end=end, ids=list(sample_ids)))


def accepted_without_response(
    store: Store, partition: int, end: int, left: int
) -> Iterator[AcceptedSample]:
    """Samples that were accepted before a position and have no response.

    Most of them are samples of direction and gate, which are not scored.

    Args:
        store: the history.
        partition: partition of the samples.
        end: position up to which (exclusive) samples count.
        left: event time in milliseconds; samples before it are left out.
    """
    sql = f"""
        SELECT sample_id, max(label_version), toUnixTimestamp64Milli(max(event_time))
        FROM {accepted_in(store, partition)}
        WHERE partition = {{partition:UInt32}} AND position < {{end:UInt64}}
          AND toUnixTimestamp64Milli(event_time) >= {{left:Int64}}
          AND (sample_id, label_version) NOT IN (
              SELECT sample_id, label_version FROM responses WHERE partition = {{partition:UInt32}})
        GROUP BY sample_id"""
    rows = store.stream(sql, partition=partition, end=end, left=left)
    return (AcceptedSample(*row) for row in rows)


def positions_of(store: Store, samples: Iterable[tuple[UUID, int]]) -> dict[tuple[UUID, int], int]:
    """Positions of those among some samples that were accepted, by id and label version.

    Args:
        store: the history.
        samples: pairs of sample id and label version.
    """
    wanted = set(samples)
    sql = """
        SELECT sample_id, label_version, position FROM accepted_samples
        WHERE sample_id IN {ids:Array(UUID)}"""
    found = store.rows(sql, ids=list({sample_id for sample_id, _ in wanted})) if wanted else []
    return {
        (sample_id, version): position
        for sample_id, version, position in found
        if (sample_id, version) in wanted
    }


def ends_of_positions(store: Store, *, before: tuple[int, int] | None = None) -> list[PartitionEnd]:
    """The end of each partition that has rows in table `positions`.

    Args:
        store: the history.
        before: a partition and an offset of topic `samples`; only samples of this partition that a
            record before this offset brought first count. None counts all.
    """
    where = "WHERE partition = {partition:UInt32} AND offset < {offset:UInt64}" if before else ""
    sql = f"""
        SELECT partition, max(position) + 1, toUnixTimestamp64Milli(max(event_time)) FROM positions
        {where} GROUP BY partition ORDER BY partition"""
    given = dict(zip(("partition", "offset"), before or (), strict=False))
    return [PartitionEnd(*row) for row in store.rows(sql, **given)]


def adopt_offsets(store: Store, partition: int, end: int) -> None:
    """Write the offsets below `end` as positions, for a history from before there were positions.

    Such a history counted records, and its responses hold offsets.
    """
    sql = """
        INSERT INTO positions (partition, position, sample_id, label_version, event_time, offset)
        SELECT partition, offset, sample_id, label_version, event_time, offset FROM samples FINAL
        WHERE partition = {partition:UInt32} AND offset < {end:UInt64}"""
    store.execute(sql, partition=partition, end=end)
