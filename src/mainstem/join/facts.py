"""What is known of a sample beside its texts and its responses, in one shape from the topic to the rows."""

from typing import Final, Generic, NamedTuple, TypeVar

__all__ = ["PARTS", "Facts"]

PARTS: Final = ("stream", "direction", "canary", "gate")
"""What a sample is for: the stream is learnt from, the others are trusted."""
T = TypeVar("T")


class Facts(NamedTuple, Generic[T]):
    """Six numbers of one sample, or six columns of as many samples as you like.

    Attributes:
        label_version, event_time, label: as of `Sample`; the label is the one that is believed.
        partition, offset: its place in the `samples` log.
        part: its number among `PARTS`.
    """

    label_version: T
    partition: T
    offset: T
    event_time: T
    label: T
    part: T
