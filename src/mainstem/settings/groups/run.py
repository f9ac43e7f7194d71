"""Settings of how a run keeps itself."""

from typing import Annotated

from mainstem.settings.fields import Group, Means

__all__ = ["Run"]


class Run(Group, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a run keeps itself."""

    seed: Annotated[int, Means(meaning="every draw, slice and initial weight comes from it", low=0, affects="join")] = 0
    checkpoint_every: Annotated[int, Means(meaning="lines between two checkpoints of a replay", low=1)] = 1000
    snapshot_every: Annotated[
        int, Means(meaning="offsets of a partition between two snapshots of a joiner", low=1, affects="nothing")
    ] = 5000
