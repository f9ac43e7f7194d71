"""How a run repeats itself, and how often it saves itself."""

from typing import Annotated

from mainstem.settings.fields import Group, Means

__all__ = ["Run"]


class Run(Group, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a run repeats itself, and how often it saves itself."""

    seed: Annotated[
        int,
        Means(
            "Every draw, slice and initial weight comes from it, so that another seed makes other ones.",
            affects="join",
            low=0,
        ),
    ] = 0
    checkpoint_every: Annotated[
        int,
        Means(
            "A higher number saves a replay after more lines of the log, and repeats more of them after a crash.",
            low=1,
        ),
    ] = 1000
    snapshot_every: Annotated[
        int,
        Means(
            "A higher number saves a joiner after more offsets of its partition, and reads more again after a crash.",
            affects="nothing",
            low=1,
        ),
    ] = 5000
