"""What a user asks of a replay: where it begins and ends, and what happens to labels and rounds."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mainstem.errors import SettingError

if TYPE_CHECKING:
    from mainstem.embedded.labels import Relabel
    from mainstem.store.recorded_schedule import RecordedSchedule
    from mainstem.versions import Versions

__all__ = ["Asked"]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """How a log is to be replayed into a home.

    Attributes:
        from_start: whether the home first forgets all but its key and its trusted samples.
        append: whether the log is the next file of the rotated log that the home has read.
        as_of: the moment of event time, in milliseconds, at which the replay stops; None: the end
            of the log.
        learn: whether rounds are run.
        planted: whether the labels of the slices that stand in for trusted samples are trusted.
        relabel: the name that the home records for a change of labels, and the function that makes
            it; None leaves labels as they are.
        schedule: order and schedule of a deployment, with its versions; the replay repeats them
            instead of learning.

    Raises:
        SettingError: if two of them contradict each other.

    Example:
        >>> Asked(learn=False).from_start
        False
    """

    from_start: bool = False
    append: bool = False
    as_of: int | None = None
    learn: bool = True
    planted: bool = False
    relabel: "tuple[str, Relabel] | None" = None
    schedule: "tuple[RecordedSchedule, Versions] | None" = None

    def __post_init__(self) -> None:
        if self.append and self.as_of is not None:
            msg = (
                "--as-of finds a moment in a whole log, and --append takes one file of it; "
                "give the whole log"
            )
            raise SettingError(msg)
        if self.append and self.from_start:
            msg = (
                "--append goes on with what a home holds, and --from-start forgets it; "
                "give one of them"
            )
            raise SettingError(msg)
