"""Read samples back for scoring and learning: texts, label, and position in their partition."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from mainstem.join import PlacedSample
from mainstem.objectives import relabelled
from mainstem.store.features import FEATURE_LIST
from mainstem.store.named import Query
from mainstem.store.positions import of_partition
from mainstem.store.store import Store

__all__ = [
    "SINCE",
    "accepted_between",
    "drawn_samples",
    "placed",
    "sample_ends",
    "samples_among",
    "samples_between",
    "samples_since",
    "trusted_samples",
]


class _SampleEnd(NamedTuple):
    partition: int
    end: int


_FACTS: Final = """
    s.sample_id, s.label_version, s.partition, {position}, toUnixTimestamp64Milli(s.event_time),
    ifNull(t.label, s.label), s.targets, s.weight, s.sampling_probability, s.position,
    if(t.part = '', 'stream', t.part), s.item_id, s.history, s.context_text, s.item_text,
    f.values, s.question_id, if(t.origin = 'confirmed', toInt16(s.label), toInt16(-1))"""
_COLUMNS: Final = _FACTS.format(position="s.offset")
_SAMPLES: Final = "(SELECT * FROM samples FINAL) AS s"
_TRUSTED: Final = "JOIN trusted_now AS t ON s.sample_id = t.sample_id"
_NEWEST: Final = "ORDER BY s.sample_id, s.label_version DESC LIMIT 1 BY s.sample_id"
# subtle: ANY, because the rows of a sample may be there twice until the engine merges them
_FEATURES: Final = f"""
    LEFT ANY JOIN (
        SELECT sample_id, values FROM features
        WHERE names = '{FEATURE_LIST}' AND {{among}}) AS f
        ON s.sample_id = f.sample_id"""
_EACH: Final = "ORDER BY s.sample_id, s.label_version LIMIT 1 BY s.sample_id, s.label_version"
_POSITIONS: Final = """
    partition = {partition:UInt32} AND position >= {first:UInt64} AND position < {end:UInt64}"""
_AT_POSITIONS: Final = f"""
    SELECT {_FACTS.format(position="p.position")} FROM {_SAMPLES}
    INNER JOIN (
        SELECT sample_id, label_version, position FROM accepted_samples WHERE {_POSITIONS}) AS p
        ON s.sample_id = p.sample_id AND s.label_version = p.label_version"""
_AND_FEATURES: Final = _FEATURES.format(
    among=f"sample_id IN (SELECT sample_id FROM accepted_samples WHERE {_POSITIONS})"
)
_OF_PARTITION: Final = "WHERE s.partition = {partition:UInt32}"
_BETWEEN: Final = Query(
    PlacedSample, f"{_AT_POSITIONS} LEFT {_TRUSTED} {_AND_FEATURES} {_OF_PARTITION} {_NEWEST}"
)
_ACCEPTED: Final = Query(
    PlacedSample, f"{_AT_POSITIONS} LEFT {_TRUSTED} {_AND_FEATURES} {_OF_PARTITION} {_EACH}"
)
_OF_PART: Final = Query(
    PlacedSample,
    f"{_AT_POSITIONS} INNER {_TRUSTED} {_AND_FEATURES} {_OF_PARTITION}"
    f" AND t.part = {{part:String}} {_NEWEST}",
)
_AMONG: Final = Query(
    PlacedSample,
    f"{_AT_POSITIONS} LEFT {_TRUSTED} {_AND_FEATURES} {_OF_PARTITION}"
    f" AND s.sample_id IN {{ids:Array(UUID)}} {_NEWEST}",
)
SINCE: Final = Query(
    PlacedSample,
    f"""
    SELECT {_COLUMNS} FROM {_SAMPLES} LEFT {_TRUSTED}
    {_FEATURES.format(among="toUnixTimestamp64Milli(event_time) >= {event_time:Int64}")}
    WHERE toUnixTimestamp64Milli(s.event_time) >= {{event_time:Int64}}
    {_NEWEST} LIMIT {{most:UInt64}}""",
)
"""Rows of `samples_since`; `placed` makes samples of them."""
_VERSION: Final = "version = {version:UInt32}"
_DRAWN: Final = Query(
    PlacedSample,
    f"""
    SELECT {_COLUMNS} FROM {_SAMPLES}
    INNER JOIN (SELECT * FROM draws FINAL WHERE {_VERSION}) AS d
        ON s.sample_id = d.sample_id AND s.label_version = d.label_version
    LEFT {_TRUSTED}
    {_FEATURES.format(among=f"sample_id IN (SELECT sample_id FROM draws WHERE {_VERSION})")}
    ORDER BY s.sample_id""",
)
_OFFSETS: Final = Query(
    _SampleEnd, "SELECT partition, max(offset) + 1 FROM samples GROUP BY partition"
)


def samples_between(store: Store, bounds: Mapping[int, tuple[int, int]]) -> list[PlacedSample]:
    """Samples in a range of positions of each partition, each at its newest label in the range.

    Args:
        store: the history.
        bounds: first position and the position after the last, by partition.

    Returns:
        Samples, ordered by partition and position.
    """
    found: list[PlacedSample] = []
    for partition, (first, end) in sorted(bounds.items()):
        found += _read(_BETWEEN, store, partition=partition, first=max(first, 0), end=end)
    return found


def trusted_samples(store: Store, part: str, ends: Mapping[int, int]) -> list[PlacedSample]:
    """Trusted samples of one part, each at its newest label so far.

    Args:
        store: the history.
        part: `direction`, `canary` or `gate`.
        ends: by partition, the position up to which (exclusive) samples and labels count.

    Returns:
        Samples, ordered by partition and position.
    """
    found: list[PlacedSample] = []
    for partition, end in sorted(ends.items()):
        found += _read(_OF_PART, store, partition=partition, first=0, end=end, part=part)
    return found


def accepted_between(store: Store, partition: int, first: int, end: int) -> list[PlacedSample]:
    """Samples accepted at positions [first, end) of a partition, all label versions, in order."""
    return _read(_ACCEPTED, store, partition=partition, first=first, end=end)


def samples_among(
    store: Store, partition: int, end: int, sample_ids: Sequence[UUID]
) -> list[PlacedSample]:
    """Samples by id, as far as they were accepted before a position, at their newest label by then.

    Args:
        store: the history.
        partition: partition of all of them.
        end: position up to which (exclusive) samples and labels count.
        sample_ids: ids of the samples wanted.

    Returns:
        Samples that were found, ordered by position.
    """
    if not sample_ids:
        return []
    ids = list(sample_ids)
    return _read(_AMONG, store, partition=partition, first=0, end=end, ids=ids)


def samples_since(store: Store, event_time: int, most: int) -> list[PlacedSample]:
    """Samples of questions asked at or after an event time, each at its newest label.

    Args:
        store: the history.
        event_time: event time of the question in milliseconds.
        most: the largest number of samples; those with the smallest ids are chosen.
    """
    return placed(SINCE.stream(store, event_time=event_time, most=most))


def drawn_samples(store: Store, version: int) -> Iterator[PlacedSample]:
    """Samples that a round drew for `version`, at the label versions that it drew."""
    return (_told(one) for one in _DRAWN.stream(store, version=version))


def _read(
    query: Query[PlacedSample], store: Store, *, partition: int, **parameters: Any
) -> list[PlacedSample]:
    query = of_partition(query, store, partition)
    samples = (_told(one) for one in query.stream(store, partition=partition, **parameters))
    return sorted(samples, key=lambda sample: sample.offset)


def placed(rows: Iterable[PlacedSample]) -> list[PlacedSample]:
    """Samples of rows that a query of this file gave, asked here or by another process."""
    return [_told(one) for one in rows]


def _told(one: PlacedSample) -> PlacedSample:
    """A row as a sample: its history is a tuple, and its targets follow a confirmed label."""
    targets = relabelled(one.targets, one.label)
    return one._replace(history=tuple(one.history), targets=targets, features=tuple(one.features))


def sample_ends(store: Store) -> dict[int, int]:
    """The offset after the last sample of each partition, by partition."""
    return {one.partition: one.end for one in _OFFSETS.of(store)}
