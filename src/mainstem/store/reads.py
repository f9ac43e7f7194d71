"""Samples as scoring and learning read them back: texts, label, and where they stand in their partition."""

from collections.abc import Iterator, Mapping
from typing import Any

from mainstem.join import PlacedSample
from mainstem.objectives import relabelled
from mainstem.store.store import Store

__all__ = ["drawn_samples", "sample_ends", "samples_between", "samples_since", "trusted_samples"]


_COLUMNS = """
    s.sample_id, s.label_version, s.partition, s.offset, toUnixTimestamp64Milli(s.event_time), ifNull(t.label, s.label),
    s.targets, s.weight, s.sampling_probability, s.position, if(t.part = '', 'stream', t.part), s.item_id, s.history,
    s.context_text, s.item_text"""
_TRUSTED = "LEFT JOIN trusted_now AS t ON s.sample_id = t.sample_id"
_NEWEST = "ORDER BY s.sample_id, s.label_version DESC LIMIT 1 BY s.sample_id"


def samples_between(store: Store, bounds: Mapping[int, tuple[int, int]]) -> list[PlacedSample]:
    """Samples at offsets [first, end) of each partition, a sample at its newest label there, by (partition, offset)."""
    found: list[PlacedSample] = []
    for partition, (first, end) in sorted(bounds.items()):
        where = "s.partition = {partition:UInt32} AND s.offset >= {first:UInt64} AND s.offset < {end:UInt64}"
        found += _read(store, _TRUSTED, where, partition=partition, first=max(first, 0), end=end)
    return found


def trusted_samples(store: Store, part: str, ends: Mapping[int, int]) -> list[PlacedSample]:
    """The trusted samples of one part, at their newest label before offset `ends[partition]`."""
    found: list[PlacedSample] = []
    for partition, end in sorted(ends.items()):
        where = "s.partition = {partition:UInt32} AND s.offset < {end:UInt64} AND t.part = {part:String}"
        found += _read(store, _TRUSTED.replace("LEFT", "INNER"), where, partition=partition, end=end, part=part)
    return found


def samples_since(store: Store, event_time: int, most: int) -> list[PlacedSample]:
    """Samples of questions asked at or after an event time (ms), newest label; at most `most`, chosen by their ids."""
    sql = f"""
        SELECT {_COLUMNS} FROM (SELECT * FROM samples FINAL) AS s {_TRUSTED}
        WHERE toUnixTimestamp64Milli(s.event_time) >= {{event_time:Int64}} {_NEWEST} LIMIT {{most:UInt64}}"""
    return [_sample(row) for row in store.stream(sql, event_time=event_time, most=most)]


def drawn_samples(store: Store, version: int) -> Iterator[PlacedSample]:
    """The samples that a round drew for `version`, with the labels they were drawn with."""
    draws = (
        "INNER JOIN (SELECT * FROM draws FINAL WHERE version = {version:UInt32}) AS d "
        f"ON s.sample_id = d.sample_id AND s.label_version = d.label_version {_TRUSTED}"
    )
    sql = f"SELECT {_COLUMNS} FROM (SELECT * FROM samples FINAL) AS s {draws} ORDER BY s.sample_id"
    return (_sample(row) for row in store.stream(sql, version=version))


def _read(store: Store, join: str, where: str, **parameters: Any) -> list[PlacedSample]:
    sql = f"SELECT {_COLUMNS} FROM (SELECT * FROM samples FINAL) AS s {join} WHERE {where} {_NEWEST}"
    return sorted((_sample(row) for row in store.stream(sql, **parameters)), key=lambda sample: sample.offset)


def _sample(row: tuple[Any, ...]) -> PlacedSample:
    values = PlacedSample(*row)
    return values._replace(history=tuple(values.history), targets=relabelled(values.targets, values.label))


def sample_ends(store: Store) -> dict[int, int]:
    """One more than the largest offset of a sample, in each partition."""
    return dict(store.rows("SELECT partition, max(offset) + 1 FROM samples GROUP BY partition"))
