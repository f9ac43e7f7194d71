"""A simulated shop: an event log of any length, and beside it the truth, so that an optimum is known.

Searches, pages, clicks, carts, purchases, returns, views and catalogue changes; habits (position bias, taste that drifts,
a season, a category that comes later); and accidents, each with its rate. A scenario is a `Shop`; `simulate` writes it.
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
