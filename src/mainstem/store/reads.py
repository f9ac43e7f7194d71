"""Read samples back for scoring and learning: texts, label, and position in their partition."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from mainstem.join import PlacedSample
from mainstem.objectives import relabelled
from mainstem.store.positions import accepted_in
from mainstem.store.store import Store

__all__ = [
    "accepted_between",
    "drawn_samples",
    "sample_ends",
    "samples_among",
    "samples_between",
    "samples_since",
    "trusted_samples",
]


_FACTS = """
    s.sample_id, s.label_version, s.partition, {position}, toUnixTimestamp64Milli(s.event_time),
    ifNull(t.label, s.label), s.targets, s.weight, s.sampling_probability, s.position,
    if(t.part = '', 'stream', t.part), s.item_id, s.history, s.context_text, s.item_text"""
_COLUMNS = _FACTS.format(position="s.offset")
_TRUSTED = "LEFT JOIN trusted_now AS t ON s.sample_id = t.sample_id"
_NEWEST = "ORDER BY s.sample_id, s.label_version DESC LIMIT 1 BY s.sample_id"
_EACH = "ORDER BY s.sample_id, s.label_version LIMIT 1 BY s.sample_id, s.label_version"


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
        found += _read(store, _TRUSTED, "1", partition=partition, first=max(first, 0), end=end)
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
        inner = _TRUSTED.replace("LEFT", "INNER")
        found += _read(
            store, inner, "t.part = {part:String}", partition=partition, first=0, end=end, part=part
        )
    return found


def accepted_between(store: Store, partition: int, first: int, end: int) -> list[PlacedSample]:
    """Samples accepted at positions [first, end) of a partition, all label versions, in order."""
    return _read(store, _TRUSTED, "1", _EACH, partition=partition, first=first, end=end)


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
    where, ids = "s.sample_id IN {ids:Array(UUID)}", list(sample_ids)
    return _read(store, _TRUSTED, where, partition=partition, first=0, end=end, ids=ids)


def samples_since(store: Store, event_time: int, most: int) -> list[PlacedSample]:
    """Samples of questions asked at or after an event time, each at its newest label.

    Args:
        store: the history.
        event_time: event time of the question in milliseconds.
        most: the largest number of samples; those with the smallest ids are chosen.
    """
    sql = f"""
        SELECT {_COLUMNS} FROM (SELECT * FROM samples FINAL) AS s {_TRUSTED}
        WHERE toUnixTimestamp64Milli(s.event_time) >= {{event_time:Int64}}
        {_NEWEST} LIMIT {{most:UInt64}}"""
    return [_sample(row) for row in store.stream(sql, event_time=event_time, most=most)]


def drawn_samples(store: Store, version: int) -> Iterator[PlacedSample]:
    """Samples that a round drew for `version`, at the label versions that it drew."""
    draws = (
        "INNER JOIN (SELECT * FROM draws FINAL WHERE version = {version:UInt32}) AS d "
        f"ON s.sample_id = d.sample_id AND s.label_version = d.label_version {_TRUSTED}"
    )
    sql = f"SELECT {_COLUMNS} FROM (SELECT * FROM samples FINAL) AS s {draws} ORDER BY s.sample_id"
    return (_sample(row) for row in store.stream(sql, version=version))


def _read(
    store: Store, join: str, where: str, which: str = _NEWEST, **parameters: Any
) -> list[PlacedSample]:
    sql = f"""
        SELECT {_FACTS.format(position="p.position")} FROM (SELECT * FROM samples FINAL) AS s
        INNER JOIN (
            SELECT sample_id, label_version, position
            FROM {accepted_in(store, parameters["partition"])}
            WHERE partition = {{partition:UInt32}}
              AND position >= {{first:UInt64}} AND position < {{end:UInt64}}) AS p
            ON s.sample_id = p.sample_id AND s.label_version = p.label_version
        {join} WHERE s.partition = {{partition:UInt32}} AND {where} {which}"""
    samples = (_sample(row) for row in store.stream(sql, **parameters))
    return sorted(samples, key=lambda sample: sample.offset)


def _sample(row: tuple[Any, ...]) -> PlacedSample:
    values = PlacedSample(*row)
    return values._replace(
        history=tuple(values.history), targets=relabelled(values.targets, values.label)
    )


def sample_ends(store: Store) -> dict[int, int]:
    """The offset after the last sample of each partition, by partition."""
    return dict(store.rows("SELECT partition, max(offset) + 1 FROM samples GROUP BY partition"))
