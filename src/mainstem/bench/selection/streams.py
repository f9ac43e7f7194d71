"""The small stream of `bench selection --quick`; its other streams are those of `bench cost`."""

from typing import Final

from mainstem.bench.cost.streams import CostStream

__all__ = ["QUICK"]

QUICK: Final = (
    CostStream(
        name="small plain shop, a fifth turned over",
        shop={"plain": True, "turned_over": 0.2},
        events=1600,
        settings={"learning.round_every": 400, "learning.held_out": 120},
        cell_seconds=8,
    ),
)
