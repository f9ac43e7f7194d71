"""Whose labels are believed, and how labels are changed on their way in."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from mainstem.join import Sample
from mainstem.trusted import Trust

__all__ = ["Labels", "Relabel"]

Relabel = Callable[[Sample, str], Sample]
_BETWEEN_GRADED: Final = 10  # samples of the stream between two graded ones


def _as_it_is(sample: Sample, part: str) -> Sample:  # noqa: ARG001 - the shape of a `Relabel`
    return sample


@dataclass(frozen=True, kw_only=True)
class Labels:
    """What one replay does with labels.

    Attributes:
        trust: the trusted samples.
        graded: text pairs that came with their grade, put in between the samples of the stream.
        planted: whether the labels of the slices that stand in for trusted samples are believed.
        relabel: changes a sample's label on its way in, given its part; for planting errors.
    """

    trust: Trust
    graded: Sequence[Sample] = ()
    planted: bool = False
    relabel: Relabel = _as_it_is

    @property
    def believed(self) -> bool:
        """Whether the canaries' labels are believed, not only assumed."""
        return self.planted or self.trust.is_own

    def part_of(self, sample: Sample) -> str:
        """`direction`, `canary`, `gate` or `stream`."""
        return self.trust.part_of(sample.sample_id, sample.question_id)

    def origin_of(self, sample: Sample) -> str:
        """Why a sample is trusted."""
        return "planted" if self.planted else self.trust.origin_of(sample.sample_id)

    def with_graded(self, samples: Iterable[Sample], before: int) -> Iterator[Sample]:
        """The samples, and after every few a graded one at its event time, until there are no more.

        Args:
            samples: of the stream.
            before: samples that were taken so far, graded ones among them.
        """
        graded = min(before // (_BETWEEN_GRADED + 1), len(self.graded))  # so far
        count = before - graded
        for sample in samples:
            yield sample
            count += 1
            if count % _BETWEEN_GRADED == 0 and graded < len(self.graded):
                yield msgspec.structs.replace(self.graded[graded], event_time=sample.event_time)
                graded += 1
