"""A checkpoint: what a replay needs in order to go on from a place between two blocks of lines."""

from msgspec import Struct

from mainstem.join import Snapshot

__all__ = ["Checkpoint"]


class Checkpoint(Struct, frozen=True, kw_only=True):
    """A consistent place between two blocks of lines: everything before it is in the history.

    Attributes:
        line: lines of the log that are done.
        snapshots: the joiners, by partition of `events`.
        ends: the next position of each partition of `samples`.
        left: event time before which samples have left the rows, by partition.
        event_times: largest event time of a sample, in milliseconds, by partition.
        counted: samples so far that may be trained on: every `round_every` of them a round starts.
        version, scale: the version in use, and the canaries' mean norm at it.
        rounds: rounds so far, promoted or not; the next version is one more.
    """

    line: int
    snapshots: list[Snapshot]
    ends: dict[int, int]
    left: dict[int, int]
    event_times: dict[int, int]
    counted: int
    version: int
    scale: float | None
    rounds: int
