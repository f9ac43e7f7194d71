"""The log of a stream, with what is known of its truth."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from mainstem.models import CrossEncoder
from mainstem.settings import Settings

__all__ = ["Log", "MakeEncoder"]

MakeEncoder = Callable[[Settings], CrossEncoder]
"""Makes the model that learns, before its first round."""


@dataclass(frozen=True)
class Log:
    """A log whose true labels are known.

    Attributes:
        lines: lines of the log, in order.
        truth: true label of each sample; empty where the log itself is true.
        planted: share of the labels before the last part that are turned over once it is joined.
        encoder: makes the model that learns; None takes the product's own.
    """

    lines: Sequence[bytes]
    truth: Mapping[UUID, int] = field(default_factory=dict)
    planted: float = 0.0
    encoder: MakeEncoder | None = None
