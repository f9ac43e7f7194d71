"""How much of the stream goes into each part of the trusted samples."""

from typing import Annotated

from mainstem.errors import SettingError
from mainstem.settings.fields import Group, share

__all__ = ["Trusted"]


class Trusted(Group, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much of the stream goes into each part of the trusted samples."""

    direction_share: Annotated[
        float,
        share(
            "A larger share makes the trusted gradient steadier, and takes more samples out of"
            " training."
        ),
    ] = 0.02
    canary_share: Annotated[
        float,
        share(
            "A larger share gives verdicts more canaries to compare with; a round may draw them"
            " like other samples."
        ),
    ] = 0.04
    gate_share: Annotated[
        float,
        share(
            "A larger share judges versions more surely, and takes more samples out of training."
        ),
    ] = 0.04

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.direction_share + self.canary_share + self.gate_share > 1:
            msg = (
                "trusted.direction_share, trusted.canary_share and trusted.gate_share are parts "
                "of one stream; their sum must not exceed 1"
            )
            raise SettingError(msg)
