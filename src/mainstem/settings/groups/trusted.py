"""Slices of the stream whose labels are believed."""

from typing import Annotated

from mainstem.errors import SettingError
from mainstem.settings.fields import Group, share

__all__ = ["Trusted"]


class Trusted(Group, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Slices of the stream whose labels are believed."""

    direction_share: Annotated[
        float, share("A larger slice gives a steadier trusted gradient, and is never trained on.")
    ] = 0.02
    canary_share: Annotated[
        float,
        share(
            "A larger slice gives verdicts more canaries to be held against; canaries are treated like the rest."
        ),
    ] = 0.04
    gate_share: Annotated[
        float, share("A larger slice judges versions more surely, and is never trained on.")
    ] = 0.04

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.direction_share + self.canary_share + self.gate_share > 1:
            msg = (
                "trusted.direction_share, trusted.canary_share and trusted.gate_share are slices of one stream; "
                "their sum must not exceed 1"
            )
            raise SettingError(msg)
