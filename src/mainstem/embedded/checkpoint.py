"""The checkpoint: the state that a replay needs in order to go on between two blocks of lines."""

from msgspec import Struct

from mainstem.join import Snapshot

__all__ = ["Checkpoint"]


class Checkpoint(Struct, frozen=True, kw_only=True):
    """A consistent place between two blocks of lines: everything before it is in the history.

    Attributes:
        line: number of lines of the log that are done.
        snapshots: states of the joiners, one for each partition of `events`.
        ends: next position of each partition of `samples`.
        left: event time, by partition; samples before it have left the rows of the worker.
        event_times: largest event time of a sample in milliseconds, by partition.
        counted: samples so far that may be trained on; a round starts every `round_every` of them.
        version: version in use.
        scale: mean response norm of the canaries under that version; None if it is not measured.
        rounds: rounds so far, promoted or not; the next version has this number plus one.
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
