"""Which behaviour counts for a question."""

from typing import Annotated

from mainstem.settings.durations import HOUR
from mainstem.settings.fields import Group, Means

__all__ = ["Behaviour"]


class Behaviour(Group, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which behaviour counts for a question."""

    feature_lag: Annotated[
        int,
        Means(
            "A longer lag leaves more of the behaviour just before a question out of its features,"
            " and lets a deployment wait less for slow partitions; `join.grace` counts if it is"
            " longer.",
            low=HOUR,
            is_duration=True,
        ),
    ] = HOUR
