"""Decide which labels are trusted, and change or add labels on their way into the history."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from mainstem.join import Sample
from mainstem.trusted import Trust

__all__ = ["Labels", "Relabel"]

Relabel = Callable[[Sample, str], Sample]
"""Changes the label of a sample, given its part."""
# samples of the stream between two graded samples
_BETWEEN_GRADED: Final = 10


def _as_it_is(sample: Sample, part: str) -> Sample:  # noqa: ARG001 - the shape of a `Relabel`
    return sample


@dataclass(frozen=True, kw_only=True)
class Labels:
    """What one replay does with labels.

    Attributes:
        trust: trusted samples of the user.
        graded: text pairs that came with a grade; they are inserted between samples of the stream.
        planted: whether the labels of the slices that stand in for trusted samples are trusted.
        relabel: changes the label of a sample on its way in, to plant errors.
    """

    trust: Trust
    graded: Sequence[Sample] = ()
    planted: bool = False
    relabel: Relabel = _as_it_is

    @property
    def believed(self) -> bool:
        """Whether the labels of the canaries are trusted, not only assumed to be right."""
        return self.planted or self.trust.is_own

    def part_of(self, sample: Sample) -> str:
        """The part of a sample: `direction`, `canary`, `gate` or `stream`."""
        return self.trust.part_of(sample.sample_id, sample.question_id)

    def origin_of(self, sample: Sample) -> str:
        """Why a sample is trusted: `planted`, `graded`, `confirmed` or `assumed`."""
        return "planted" if self.planted else self.trust.origin_of(sample.sample_id)

    def with_graded(self, samples: Iterable[Sample], before: int) -> Iterator[Sample]:
        """Insert a graded sample after every ten samples of the stream, until none is left.

        Args:
            samples: samples of the stream.
            before: number of samples so far, graded ones included.

        Yields:
            Samples; a graded one has the event time of the sample before it.
        """
        graded = min(before // (_BETWEEN_GRADED + 1), len(self.graded))
        count = before - graded
        for sample in samples:
            yield sample
            count += 1
            if count % _BETWEEN_GRADED == 0 and graded < len(self.graded):
                yield msgspec.structs.replace(self.graded[graded], event_time=sample.event_time)
                graded += 1
