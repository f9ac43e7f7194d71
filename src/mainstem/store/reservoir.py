"""What decides which trusted samples are in a reservoir: their ids, times and labels, no texts."""

from collections.abc import Mapping
from typing import Final, NamedTuple
from uuid import UUID

from mainstem.store.named import Query
from mainstem.store.positions import of_partition
from mainstem.store.store import Store

__all__ = ["Candidate", "candidates"]


class Candidate(NamedTuple):
    """A trusted sample that may be in a reservoir.

    Attributes:
        sample_id, question_id: its ids.
        partition: its partition.
        event_time: event time of its question, in milliseconds.
        label: label that is trusted, or else assumed: that of the log, at its newest version.
        confirmed: 1 if somebody confirmed the label of this sample of the stream.
    """

    sample_id: UUID
    question_id: UUID
    partition: int
    event_time: int
    label: int
    confirmed: int


_OF_PART: Final = Query(
    Candidate,
    """
    SELECT s.sample_id, s.question_id, s.partition, toUnixTimestamp64Milli(s.event_time),
           ifNull(t.label, s.label), t.origin = 'confirmed'
    FROM (
        SELECT sample_id, label_version, question_id, partition, event_time, label
        FROM samples FINAL WHERE partition = {partition:UInt32}) AS s
    INNER JOIN (
        SELECT sample_id, label, origin FROM trusted_now WHERE part = {part:String}) AS t
        ON s.sample_id = t.sample_id
    WHERE (s.sample_id, s.label_version) IN (
        SELECT sample_id, label_version FROM accepted_samples
        WHERE partition = {partition:UInt32} AND position < {end:UInt64}
          AND sample_id IN (SELECT sample_id FROM trusted_now WHERE part = {part:String}))
    ORDER BY s.sample_id, s.label_version DESC LIMIT 1 BY s.sample_id""",
)


def candidates(store: Store, part: str, ends: Mapping[int, int]) -> list[Candidate]:
    """The trusted samples of one part, as far as they were accepted before some positions.

    Args:
        store: the history.
        part: `direction`, `canary` or `gate`.
        ends: by partition, the position up to which (exclusive) samples and labels count.

    Returns:
        The samples, ordered by partition and id.
    """
    found: list[Candidate] = []
    for partition, end in sorted(ends.items()):
        query = of_partition(_OF_PART, store, partition)
        found += query.of(store, partition=partition, end=end, part=part)
    return found
