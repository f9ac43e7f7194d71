"""The streams on which policies are compared, with the samples that somebody confirmed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

__all__ = ["QUICK", "STREAMS", "CostStream"]


@dataclass(frozen=True, kw_only=True)
class CostStream:
    """A stream whose true labels are known.

    Attributes:
        name: name of the stream in tables.
        shop: parameters of the simulated shop, apart from its seed; None takes the shipped excerpt.
        events: about how many lines the log of a shop has.
        planted: share of the labels of the excerpt that are turned over.
        confirmed: share of the questions whose true labels somebody confirmed.
        settings: settings that differ from the usual ones, for all policies alike.
        cell_seconds: about how long one cell takes on one core, in the mean over policies.
    """

    name: str
    shop: Mapping[str, Any] | None = None
    events: int = 12_000
    planted: float = 0.0
    confirmed: float = 0.1
    settings: Mapping[str, Any] = field(default_factory=dict)
    cell_seconds: float = 60.0

    @property
    def is_noisy(self) -> bool:
        """Whether labels are wrong on purpose."""
        return self.planted > 0 or bool(self.shop and self.shop.get("turned_over"))


STREAMS: Final = (
    CostStream(name="excerpt, a tenth turned over", planted=0.1, cell_seconds=130),
    CostStream(
        name="plain shop, a fifth turned over",
        shop={"plain": True, "turned_over": 0.2},
    ),
    CostStream(name="plain shop, none turned over", shop={"plain": True}),
)
QUICK: Final = (
    CostStream(
        name="small plain shop, a fifth turned over",
        shop={"plain": True, "turned_over": 0.2},
        events=2500,
        settings={"learning.round_every": 500, "learning.held_out": 150},
        cell_seconds=12,
    ),
)
"""The small stream of `--quick`."""
