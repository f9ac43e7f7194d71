"""Kinds of a visit: how much of a response a version computed when it scored a sample.

Loss, margin and logits come from the forward pass, so all kinds have the same ones. What differs is
the norm: each kind takes it over other layers. Norms of different kinds are never compared as they
are; a version measures on the canaries how those of a cheaper kind stand to full ones.
"""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

__all__ = ["Kind", "KindScale"]


class Kind(StrEnum):
    """What a visit computed.

    Attributes:
        FULL: norm over all layers, with alignment and sketch.
        LAST: norm over the last block, the head and the towers; no alignment and no sketch.
        FORWARD: norm over the head alone, whose gradient needs no backward pass through the
            blocks; no alignment and no sketch.
    """

    FULL = "full"
    LAST = "last"
    FORWARD = "forward"


class KindScale(Struct, frozen=True, kw_only=True):
    """How norms of a cheaper kind stand to full ones at one version.

    A full norm, divided by the version's scale, is expected to be
    `factor * (norm / scale) ** power`. The mean of that over the canaries is 1, as it is for full
    norms.

    Attributes:
        scale: mean norm of this kind over the canaries, above 0.
        power: slope of full norms over norms of this kind, both in logarithms, above 0. It is
            small where the cheaper norm tells little, so that a guess stays near the mean.
        factor: makes the mean over the canaries 1, above 0.
    """

    scale: Annotated[float, Meta(gt=0)]
    power: Annotated[float, Meta(gt=0)]
    factor: Annotated[float, Meta(gt=0)]
