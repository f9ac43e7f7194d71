"""Settings of how events become samples."""

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
            meaning="what asks: `shown` (impressions and views), `purchases` (logs without those), `auto` looks at the log",
            choices=("auto", "shown", "purchases"),
            affects="join",
        ),
    ] = "auto"
    label_window: Annotated[int, duration("outcomes this long after a question make its first label", "join")] = HOUR
    grace: Annotated[int, duration("how far events may come out of order", "join")] = 10 * MINUTE
    revision_window: Annotated[int, duration("outcomes this long after a question revise its label", "join")] = 30 * DAY
    dedupe_horizon: Annotated[int, duration("an event id is remembered for this long, in event time", "join")] = DAY
    history_length: Annotated[
        int, Means(meaning="items of the shopper's recent history in a text", low=0, high=100, affects="join")
    ] = 5
    history_window: Annotated[int, duration("what the shopper did longer ago is not in a text", "join")] = 90 * DAY
    negatives: Annotated[
        int,
        Means(
            meaning="negatives drawn for each purchase where purchases are the questions", low=0, high=100, affects="join"
        ),
    ] = 1
    partitions: Annotated[int, Means(meaning="partitions of events and of samples", low=1, high=4096, affects="join")] = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.dedupe_horizon < self.grace:
            msg = "join.dedupe_horizon must be at least join.grace: an event may come again while its first copy still waits"
            raise SettingError(msg)
