"""The sample: what one item of a question became. It is self-contained: the texts are in it."""

import hashlib
import math
from functools import lru_cache
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

__all__ = ["Sample", "digest_of", "price_band"]

_ENCODER: Final = msgspec.msgpack.Encoder(order="deterministic")


class Sample(Struct, frozen=True, gc=False):
    """One (context, item) pair with its label at one `label_version`.

    Most of all things are samples, so `making` names no field when it makes one: that takes a fifth of the time.

    Attributes:
        sample_id: made of the question's event id and the item id, so the same in every replay.
        label_version: how many outcomes are folded into the label.
        question_id: made of the question's event id.
        event_time: when the question was asked, in milliseconds since 1970 UTC.
        user: pseudonym of the shopper.
        source: `impression`, `view`, `purchase`, `labelled` for a labelled text, or `drawn` for a drawn negative.
        outcomes: what was folded into the label, in event time order.
        label: 1 for yes, 0 for no; of a labelled text the number of its class.
        weight: factor of this sample's loss in training.
        sampling_probability: that this item was drawn among those known; 1 where nothing was drawn.
        query, history: what the shopper asked, and the item ids of what they did just before (newest first).
        context_text: query and history in words, what the model reads first.
        item_text: title, category, brand and price band as of `event_time`, what it reads second.
    """

    sample_id: UUID
    label_version: int
    question_id: UUID
    event_time: int
    user: str
    source: str
    outcomes: tuple[str, ...]
    label: int
    weight: float
    sampling_probability: float
    query: str
    history: tuple[str, ...]
    item_id: str
    category: str
    brand: str
    price_band: str
    context_text: str
    item_text: str


def digest_of(sample: Sample) -> str:
    """32 hex digits over all that a sample says, but for the pseudonym (whose key differs between deployments)."""
    without_user = msgspec.structs.replace(sample, user="")
    return hashlib.blake2b(_ENCODER.encode(without_user), digest_size=16).hexdigest()


@lru_cache(maxsize=10_000)
def price_band(price: float | None) -> str:
    """A price as a word that a tokenizer keeps: its band on a 1, 2, 5 scale.

    Example:
        >>> price_band(2.55), price_band(0.4), price_band(None)
        ('2 to 5', '0.2 to 0.5', '')
    """
    if price is None or price <= 0:
        return ""
    power = 10.0 ** math.floor(math.log10(price))
    low = max(step for step in (0.1, 1, 2, 5) if step * power <= price * (1 + 1e-9))
    high = {0.1: 1, 1: 2, 2: 5, 5: 10}[low]
    return f"{low * power:.10g} to {high * power:.10g}"
