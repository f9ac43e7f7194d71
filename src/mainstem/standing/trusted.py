"""Which slice of the stream a question belongs to, when trusted samples are slices of the stream."""

from typing import Final
from uuid import UUID

from mainstem.ids import fraction_of
from mainstem.settings import Settings

__all__ = ["PARTS", "part_of"]

PARTS: Final = ("stream", "direction", "canary", "gate")


def part_of(settings: Settings, question_id: UUID) -> str:
    """`direction`, `canary`, `gate` or `stream`, by a hash of (seed, question): all samples of a question go together.

    Example:
        >>> part_of(Settings(direction_share=0, canary_share=1, gate_share=0), UUID(int=1))
        'canary'
    """
    fraction = fraction_of("part", settings.seed, question_id.hex)
    for part, share in (
        ("direction", settings.direction_share),
        ("canary", settings.canary_share),
        ("gate", settings.gate_share),
    ):
        if fraction < share:
            return part
        fraction -= share
    return "stream"
