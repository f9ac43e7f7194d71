"""What makes a run repeatable, how often it saves its state, and how many processes train."""

from typing import Annotated

from mainstem.settings.fields import Group, Means

__all__ = ["Run"]


class Run(Group, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What makes a run repeatable, how often it saves its state, and how many processes train."""

    seed: Annotated[
        int,
        Means(
            "Decides every draw, slice and initial weight; another seed gives other ones.",
            affects="join",
            low=0,
        ),
    ] = 0
    checkpoint_every: Annotated[
        int,
        Means(
            "A higher number saves a replay after more lines of the log, and repeats more of"
            " them after a crash.",
            low=1,
        ),
    ] = 1000
    snapshot_every: Annotated[
        int,
        Means(
            "A higher number saves a joiner after more offsets of its partition; a crash makes"
            " it read more again.",
            affects="nothing",
            low=1,
        ),
    ] = 5000
    processes: Annotated[
        int,
        Means(
            "A higher number trains each round on so many processes of one machine at once, each"
            " with its part of every training step; on GPUs each process takes one.",
            low=1,
            high=64,
        ),
    ] = 1
