"""A sample at its place in the stream: what scoring, learning and the history hand to each other."""

from collections.abc import Sequence
from typing import NamedTuple, Self
from uuid import UUID

from mainstem.join.facts import PARTS, Facts
from mainstem.join.sample import Sample
from mainstem.objectives import relabelled

__all__ = ["PlacedSample", "told"]


class PlacedSample(NamedTuple):
    """A sample with its place in the stream.

    Attributes:
        sample_id, label_version, event_time, weight, sampling_probability, position: as of `Sample`.
        partition, offset: its place; the offset counts the samples of the partition that were accepted before it.
        label: its own, or the one that somebody vouches for.
        targets: what each objective would have the model say; the first is the label.
        part: `stream`, `direction`, `canary` or `gate`.
        item_id, history, context_text, item_text: as of `Sample`.
    """

    sample_id: UUID
    label_version: int
    partition: int
    offset: int
    event_time: int
    label: int
    targets: tuple[float, ...]
    weight: float
    sampling_probability: float
    position: int
    part: str
    item_id: str
    history: tuple[str, ...]
    context_text: str
    item_text: str

    @classmethod
    def of(
        cls, sample: Sample, partition: int, offset: int, part: str, label: int | None = None
    ) -> Self:
        """A sample at its place; `label` overrules its own where somebody vouches for one."""
        held = sample.label if label is None else label
        return cls(
            sample_id=sample.sample_id,
            label_version=sample.label_version,
            partition=partition,
            offset=offset,
            event_time=sample.event_time,
            label=held,
            targets=relabelled(sample.targets, held),
            weight=sample.weight,
            sampling_probability=sample.sampling_probability,
            position=sample.position,
            part=part,
            item_id=sample.item_id,
            history=sample.history,
            context_text=sample.context_text,
            item_text=sample.item_text,
        )

    @property
    def facts(self) -> Facts[int]:
        """What the rows know of it."""
        part = PARTS.index(self.part)
        return Facts(
            self.label_version, self.partition, self.offset, self.event_time, self.label, part
        )

    @property
    def pair(self) -> tuple[str, str]:
        """What the model reads."""
        return self.context_text, self.item_text


def told(samples: Sequence[PlacedSample]) -> tuple[list[tuple[str, str]], list[int], list[float]]:
    """What a model is told of samples: text pairs, labels and weights.

    Example:
        >>> told([])
        ([], [], [])
    """
    pairs = [sample.pair for sample in samples]
    return pairs, [sample.label for sample in samples], [sample.weight for sample in samples]
