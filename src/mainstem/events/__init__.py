"""Events of the shop: the vocabulary, decoding, and logs on disk."""

from mainstem.events.decode import Refusal, decode, encode, refusal_of
from mainstem.events.logs import read_lines
from mainstem.events.vocabulary import (
    Cart,
    Click,
    Event,
    Impression,
    Item,
    Labelled,
    Outcome,
    Purchase,
    Return,
    Search,
    Shown,
    Tick,
    View,
)

__all__ = [
    "Cart",
    "Click",
    "Event",
    "Impression",
    "Item",
    "Labelled",
    "Outcome",
    "Purchase",
    "Refusal",
    "Return",
    "Search",
    "Shown",
    "Tick",
    "View",
    "decode",
    "encode",
    "read_lines",
    "refusal_of",
]
