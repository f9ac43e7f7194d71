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
            "It says what asks: `shown` is impressions and views, `purchases` is for logs without, `auto` looks at the log.",
            affects="join",
            choices=("auto", "shown", "purchases"),
        ),
    ] = "auto"
    label_window: Annotated[
        int,
        duration(
            "A longer window takes later outcomes into the first label of a question, which waits for as long.",
            affects="join",
        ),
    ] = HOUR
    grace: Annotated[
        int,
        duration(
            "A longer grace lets events come further out of order, and makes every label wait longer.",
            affects="join",
        ),
    ] = 10 * MINUTE
    revision_window: Annotated[
        int,
        duration(
            "A longer window lets later outcomes revise a label, and keeps every question in memory for as long.",
            affects="join",
        ),
    ] = 30 * DAY
    dedupe_horizon: Annotated[
        int,
        duration(
            "A longer horizon finds copies of an event that come later, and keeps more event ids in memory.",
            affects="join",
        ),
    ] = DAY
    history_length: Annotated[
        int,
        Means(
            "A higher number puts more items of the shopper's recent history into a text.",
            affects="join",
            low=0,
            high=100,
        ),
    ] = 5
    history_window: Annotated[
        int,
        duration(
            "A longer window lets into a text what the shopper did longer ago.", affects="join"
        ),
    ] = 90 * DAY
    negatives: Annotated[
        int,
        Means(
            "A higher number draws more negatives for each purchase, where purchases are the questions.",
            affects="join",
            low=0,
            high=100,
        ),
    ] = 1
    partitions: Annotated[
        int,
        Means(
            "A higher number divides events and samples among more workers.",
            affects="join",
            low=1,
            high=4096,
        ),
    ] = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.dedupe_horizon < self.grace:
            msg = "join.dedupe_horizon must be at least join.grace: an event may come again while its first copy still waits"
            raise SettingError(msg)
