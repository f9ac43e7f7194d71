"""How much of the stream goes into each part of the trusted samples, and what a round uses."""

from typing import Annotated

from mainstem.errors import SettingError
from mainstem.settings.fields import Group, Means, share

__all__ = ["Trusted"]


class Trusted(Group, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much of the stream goes into each part of the trusted samples, and what a round uses."""

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
    canary_maximum: Annotated[
        int,
        Means(
            "A higher number makes each round go through more canaries, for a steadier scale and"
            " steadier verdicts; `standing.canary_minimum` of each label and partition are scored"
            " again in any case.",
            low=1,
        ),
    ] = 2000
    gate_maximum: Annotated[
        int,
        Means(
            "A higher number makes each round evaluate on more gate samples, never on fewer than"
            " `learning.gate_minimum`.",
            low=1,
        ),
    ] = 2000

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.direction_share + self.canary_share + self.gate_share > 1:
            msg = (
                "trusted.direction_share, trusted.canary_share and trusted.gate_share are parts "
                "of one stream; their sum must not exceed 1"
            )
            raise SettingError(msg)
