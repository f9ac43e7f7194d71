"""Seven numbers that every room needs of a sample, in one shape from the topic to the rows."""

from typing import Final, Generic, NamedTuple, TypeVar

__all__ = ["PARTS", "Facts"]

PARTS: Final = ("stream", "direction", "canary", "gate")
"""What a sample is used for: models learn from the stream, the other parts are trusted samples."""
T = TypeVar("T")


class Facts(NamedTuple, Generic[T]):
    """Seven numbers of one sample, or seven columns of numbers of many samples.

    Attributes:
        label_version, event_time: the fields of `Sample` with these names.
        label: label of the sample; for a trusted sample, the label that was vouched for.
        partition, offset: place of the sample in the log of samples, as in `PlacedSample`.
        part: index of the sample's part in `PARTS`.
        answer_code: number of the sample's targets (`code_of`): the label itself where that is the
            only target. A sample whose answer changes starts its importance again.
    """

    label_version: T
    partition: T
    offset: T
    event_time: T
    label: T
    part: T
    answer_code: T
