"""Samples as scoring and learning read them back: texts, label, and where they stand in their partition."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Self
from uuid import UUID

from mainstem.join import Sample
from mainstem.store.positions import accepted_in
from mainstem.store.store import Store

__all__ = ["StoredSample", "drawn_samples", "sample_ends", "samples_between", "samples_since", "trusted_samples"]


class StoredSample(NamedTuple):
    """A sample with its position in its partition (`offset`); `part` is `stream`, `direction`, `canary` or `gate`."""

    sample_id: UUID
    label_version: int
    partition: int
    offset: int
    event_time: int
    label: int
    weight: float
    part: str
    item_id: str
    history: tuple[str, ...]
    context_text: str
    item_text: str

    @classmethod
    def of(cls, sample: Sample, partition: int, offset: int, part: str, label: int | None = None) -> Self:
        """A sample at its place; `label` overrules its own where somebody vouches for one."""
        return cls(
            sample_id=sample.sample_id,
            label_version=sample.label_version,
            partition=partition,
            offset=offset,
            event_time=sample.event_time,
            label=sample.label if label is None else label,
            weight=sample.weight,
            part=part,
            item_id=sample.item_id,
            history=sample.history,
            context_text=sample.context_text,
            item_text=sample.item_text,
        )

    @property
    def pair(self) -> tuple[str, str]:
        """What the model reads."""
        return self.context_text, self.item_text


_FACTS = """
    s.sample_id, s.label_version, s.partition, {position}, toUnixTimestamp64Milli(s.event_time), ifNull(t.label, s.label),
    s.weight, if(t.part = '', 'stream', t.part), s.item_id, s.history, s.context_text, s.item_text"""
_COLUMNS = _FACTS.format(position="s.offset")
_TRUSTED = "LEFT JOIN trusted_now AS t ON s.sample_id = t.sample_id"
_NEWEST = "ORDER BY s.sample_id, s.label_version DESC LIMIT 1 BY s.sample_id"


def samples_between(store: Store, bounds: Mapping[int, tuple[int, int]]) -> list[StoredSample]:
    """Samples at positions [first, end) of each partition, a sample at its newest label there, in their order."""
    found: list[StoredSample] = []
    for partition, (first, end) in sorted(bounds.items()):
        found += _read(store, _TRUSTED, "1", partition=partition, first=max(first, 0), end=end)
    return found


def trusted_samples(store: Store, part: str, ends: Mapping[int, int]) -> list[StoredSample]:
    """The trusted samples of one part, at their newest label before position `ends[partition]`."""
    found: list[StoredSample] = []
    for partition, end in sorted(ends.items()):
        inner = _TRUSTED.replace("LEFT", "INNER")
        found += _read(store, inner, "t.part = {part:String}", partition=partition, first=0, end=end, part=part)
    return found


def samples_since(store: Store, event_time: int, most: int) -> list[StoredSample]:
    """Samples of questions asked at or after an event time (ms), newest label; at most `most`, chosen by their ids."""
    sql = f"""
        SELECT {_COLUMNS} FROM (SELECT * FROM samples FINAL) AS s {_TRUSTED}
        WHERE toUnixTimestamp64Milli(s.event_time) >= {{event_time:Int64}} {_NEWEST} LIMIT {{most:UInt64}}"""
    return [_sample(row) for row in store.stream(sql, event_time=event_time, most=most)]


def drawn_samples(store: Store, version: int) -> Iterator[StoredSample]:
    """The samples that a round drew for `version`, with the labels they were drawn with."""
    draws = (
        "INNER JOIN (SELECT * FROM draws FINAL WHERE version = {version:UInt32}) AS d "
        f"ON s.sample_id = d.sample_id AND s.label_version = d.label_version {_TRUSTED}"
    )
    sql = f"SELECT {_COLUMNS} FROM (SELECT * FROM samples FINAL) AS s {draws} ORDER BY s.sample_id"
    return (_sample(row) for row in store.stream(sql, version=version))


def _read(store: Store, join: str, where: str, **parameters: Any) -> list[StoredSample]:
    sql = f"""
        SELECT {_FACTS.format(position="p.position")} FROM (SELECT * FROM samples FINAL) AS s
        INNER JOIN (
            SELECT sample_id, label_version, position FROM {accepted_in(store, parameters["partition"])}
            WHERE partition = {{partition:UInt32}} AND position >= {{first:UInt64}} AND position < {{end:UInt64}}) AS p
            ON s.sample_id = p.sample_id AND s.label_version = p.label_version
        {join} WHERE s.partition = {{partition:UInt32}} AND {where} {_NEWEST}"""
    return sorted((_sample(row) for row in store.stream(sql, **parameters)), key=lambda sample: sample.offset)


def _sample(row: tuple[Any, ...]) -> StoredSample:
    values = StoredSample(*row)
    return values._replace(history=tuple(values.history))


def sample_ends(store: Store) -> dict[int, int]:
    """One more than the largest offset of a sample, in each partition."""
    return dict(store.rows("SELECT partition, max(offset) + 1 FROM samples GROUP BY partition"))
