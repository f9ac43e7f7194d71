"""The positions of accepted samples: what they are, which is the next, and what was accepted before."""

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
    """A sample that was accepted, at its newest label version."""

    sample_id: UUID
    label_version: int
    event_time: int


class PartitionEnd(NamedTuple):
    """How far a partition has come: its next position, and its largest event time in milliseconds."""

    partition: int
    position: int
    event_time: int


def accepted_in(store: Store, partition: int) -> str:
    """What to read the accepted samples of a partition from, as view `accepted_samples` does but from one table only.

    A row may be there twice; columns are `partition`, `position`, `sample_id`, `label_version` and `event_time`.
    """
    counted = store.rows(
        "SELECT 1 FROM positions WHERE partition = {partition:UInt32} LIMIT 1", partition=partition
    )
    return "positions" if counted else f"({_EMBEDDED})"


def accepted_versions(
    store: Store, partition: int, end: int, sample_ids: Sequence[UUID]
) -> dict[UUID, int]:
    """The newest label version at which each of these samples was accepted before a position; none where it never was."""
    sql = f"""
        SELECT sample_id, max(label_version) FROM {accepted_in(store, partition)}
        WHERE partition = {{partition:UInt32}} AND position < {{end:UInt64}} AND sample_id IN {{ids:Array(UUID)}}
        GROUP BY sample_id"""
    return dict(store.rows(sql, partition=partition, end=end, ids=list(sample_ids)))


def accepted_without_response(
    store: Store, partition: int, end: int, left: int
) -> Iterator[AcceptedSample]:
    """What was accepted before a position and has no response: samples of the direction and the gate, above all.

    Args:
        store: the history.
        partition, end: positions below `end` of this partition.
        left: event time, in milliseconds, before which samples are left out.
    """
    sql = f"""
        SELECT sample_id, max(label_version), toUnixTimestamp64Milli(max(event_time)) FROM {accepted_in(store, partition)}
        WHERE partition = {{partition:UInt32}} AND position < {{end:UInt64}}
          AND toUnixTimestamp64Milli(event_time) >= {{left:Int64}} AND (sample_id, label_version) NOT IN (
              SELECT sample_id, label_version FROM responses WHERE partition = {{partition:UInt32}})
        GROUP BY sample_id"""
    return (
        AcceptedSample(*row) for row in store.stream(sql, partition=partition, end=end, left=left)
    )


def positions_of(store: Store, samples: Iterable[tuple[UUID, int]]) -> dict[tuple[UUID, int], int]:
    """The positions of samples, given by id and label version, that were accepted before."""
    wanted = set(samples)
    sql = "SELECT sample_id, label_version, position FROM accepted_samples WHERE sample_id IN {ids:Array(UUID)}"
    found = store.rows(sql, ids=list({sample_id for sample_id, _ in wanted})) if wanted else []
    return {
        (sample_id, version): position
        for sample_id, version, position in found
        if (sample_id, version) in wanted
    }


def ends_of_positions(store: Store, *, before: tuple[int, int] | None = None) -> list[PartitionEnd]:
    """How far each partition has come that has positions.

    Args:
        store: the history.
        before: a partition and an offset of topic `samples`: only what was first brought before it.
    """
    partition, offset = before or (None, 0)
    sql = f"""
        SELECT partition, max(position) + 1, toUnixTimestamp64Milli(max(event_time)) FROM positions
        {"" if before is None else "WHERE partition = {partition:UInt32} AND offset < {offset:UInt64}"}
        GROUP BY partition ORDER BY partition"""
    given = {} if before is None else {"partition": partition, "offset": offset}
    return [PartitionEnd(*row) for row in store.rows(sql, **given)]


def adopt_offsets(store: Store, partition: int, end: int) -> None:
    """Take the offsets below `end` for positions: a history of before counted records, and its responses say offsets."""
    sql = """
        INSERT INTO positions (partition, position, sample_id, label_version, event_time, offset)
        SELECT partition, offset, sample_id, label_version, event_time, offset FROM samples FINAL
        WHERE partition = {partition:UInt32} AND offset < {end:UInt64}"""
    store.execute(sql, partition=partition, end=end)
