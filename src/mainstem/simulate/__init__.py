"""A simulated shop: an event log of any length, with the truth beside it and a known optimum.

The log has searches, pages, clicks, carts, purchases, returns, views and catalogue changes.
Shoppers have habits (position bias, drifting taste, a season, a category that opens later), and
accidents happen to events, each at its own rate. A `Shop` is a scenario, and `simulate` writes its
log.
"""

from mainstem.simulate.accidents import TrackingBug
from mainstem.simulate.optimum import best_auc
from mainstem.simulate.run import Simulated, simulate
from mainstem.simulate.shop import Shop
from mainstem.simulate.truth import (
    Truth,
    TruthOfEvent,
    TruthOfItem,
    TruthOfQuestion,
    TruthOfShop,
    read_truth,
)

__all__ = [
    "Shop",
    "Simulated",
    "TrackingBug",
    "Truth",
    "TruthOfEvent",
    "TruthOfItem",
    "TruthOfQuestion",
    "TruthOfShop",
    "best_auc",
    "read_truth",
    "simulate",
]
