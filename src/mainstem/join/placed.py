"""A sample with its place in the stream, as scoring, learning and the history pass it on."""

from collections.abc import Sequence
from typing import NamedTuple, Self
from uuid import UUID

from mainstem.join.facts import PARTS, Facts
from mainstem.join.sample import Sample
from mainstem.objectives import Examples, code_of, relabelled

__all__ = ["PlacedSample", "examples_of"]


class PlacedSample(NamedTuple):
    """A sample with its place in the stream.

    Attributes:
        sample_id, label_version, event_time: the fields of `Sample` with these names.
        partition: partition of the sample.
        offset: number of samples of the partition that were accepted before this sample.
        label: label of the sample; for a trusted sample, the label that was vouched for.
        targets: target of each objective; the first known one agrees with `label`.
        weight, sampling_probability, position: the fields of `Sample` with these names.
        part: use of the sample, one of `PARTS`.
        item_id, history, context_text, item_text: the fields of `Sample` with these names.
        features: behaviour features as of the question, in the order of their names; empty where
            they are unknown, which a model reads as 0, their mean.
        question_id: the field of `Sample` with this name.
        given: label that the log gave, of a sample of the stream whose label somebody confirmed;
            -1 for every other sample, which has one label alone.
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
    features: tuple[float, ...] = ()
    question_id: UUID = UUID(int=0)
    given: int = -1

    @classmethod
    def of(
        cls,
        sample: Sample,
        partition: int,
        offset: int,
        part: str,
        label: int | None = None,
        *,
        confirmed: bool = False,
    ) -> Self:
        """Put a sample at its place in the stream.

        Args:
            sample: the sample.
            partition, offset: its place.
            part: its use, one of `PARTS`.
            label: label that was vouched for; it replaces the sample's own. None keeps that one.
            confirmed: whether a sample of the stream was vouched for; then the label of the log is
                kept beside `label`.
        """
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
            question_id=sample.question_id,
            given=sample.label if confirmed else -1,
        )

    @property
    def facts(self) -> Facts[int]:
        """The seven numbers of this sample that the rows keep."""
        place = (self.partition, self.offset, self.event_time)
        part, code = PARTS.index(self.part), code_of(self.targets)
        return Facts(self.label_version, *place, self.label, part, code)

    @property
    def pair(self) -> tuple[str, str]:
        """The two texts that the model reads."""
        return self.context_text, self.item_text


def examples_of(samples: Sequence[PlacedSample], *, weighed: bool = True) -> Examples:
    """What a model reads of samples and learns from.

    Args:
        samples: the samples.
        weighed: whether their weights count, as in training. Responses leave them out: a response
            says what a sample would teach, not how often samples like it were shown.

    Example:
        >>> len(examples_of([]))
        0
    """
    return Examples.of(
        [sample.pair for sample in samples],
        [sample.label for sample in samples],
        [sample.weight for sample in samples] if weighed else None,
        targets=[sample.targets or (float(sample.label),) for sample in samples],
        features=[sample.features for sample in samples],
        positions=[sample.position for sample in samples],
        questions=_numbered([sample.question_id for sample in samples]),
    )


def _numbered(questions: Sequence[UUID]) -> list[int]:
    """The questions by number, in the order in which they come first."""
    numbers: dict[UUID, int] = {}
    return [numbers.setdefault(question, len(numbers)) for question in questions]
