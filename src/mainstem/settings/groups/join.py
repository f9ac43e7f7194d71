"""How events become samples."""

from typing import Annotated

from mainstem.errors import SettingError
from mainstem.settings.durations import DAY, HOUR, MINUTE
from mainstem.settings.fields import Group, Means, duration

__all__ = ["Join"]


class Join(Group, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How events become samples."""

    questions: Annotated[
        str,
        Means(
            "Chooses which events are questions: `shown` takes impressions and views, `purchases`"
            " suits logs that lack them, and `auto` decides by looking at the log.",
            affects="join",
            choices=("auto", "shown", "purchases"),
        ),
    ] = "auto"
    label_window: Annotated[
        int,
        duration(
            "A longer window counts later outcomes in a question's first label, which is made"
            " that much later.",
            affects="join",
        ),
    ] = HOUR
    grace: Annotated[
        int,
        duration(
            "A longer grace accepts events that arrive further out of order, and delays every"
            " label by as much.",
            affects="join",
        ),
    ] = 10 * MINUTE
    revision_window: Annotated[
        int,
        duration(
            "A longer window lets later outcomes revise a label, and keeps every question in"
            " memory that long.",
            affects="join",
        ),
    ] = 30 * DAY
    dedupe_horizon: Annotated[
        int,
        duration(
            "A longer horizon recognises copies of an event that arrive later, and keeps more"
            " event ids in memory.",
            affects="join",
        ),
    ] = DAY
    history_length: Annotated[
        int,
        Means(
            "A higher number puts more of the items that a shopper touched recently into a"
            " sample's text.",
            affects="join",
            low=0,
            high=100,
        ),
    ] = 5
    history_window: Annotated[
        int,
        duration(
            "A longer window puts what the shopper did longer ago into a sample's text.",
            affects="join",
        ),
    ] = 90 * DAY
    negatives: Annotated[
        int,
        Means(
            "A higher number draws more negatives for each purchase; it counts only where"
            " purchases are questions.",
            affects="join",
            low=0,
            high=100,
        ),
    ] = 1
    partitions: Annotated[
        int,
        Means(
            "A higher number divides events and samples into more partitions, so that more"
            " workers share them.",
            affects="join",
            low=1,
            high=4096,
        ),
    ] = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.dedupe_horizon < self.grace:
            msg = (
                "join.dedupe_horizon must be at least join.grace: "
                "an event may arrive again while its first copy still waits"
            )
            raise SettingError(msg)
