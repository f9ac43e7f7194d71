"""A sample at its place in the stream: what scoring, learning and the history hand to each other."""

from typing import NamedTuple, Self
from uuid import UUID

from mainstem.join.sample import Sample

__all__ = ["PlacedSample"]


class PlacedSample(NamedTuple):
    """A sample with its place in the `samples` log; `part` is `stream`, `direction`, `canary` or `gate`."""

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
