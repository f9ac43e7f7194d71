"""The sample: what one item of a question became. It is self-contained: the texts are in it."""

import hashlib
import math
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import Struct

from mainstem.objectives import relabelled

__all__ = ["Sample", "digest_0_1_of", "digest_of", "price_band", "relabelled_sample"]

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
        label: the first target as a whole number: 1 for yes, 0 for no; of a labelled text the number of its class.
        weight: factor of this sample's loss, in training and in its response.
        sampling_probability: that this item was drawn among those known; 1 where nothing was drawn.
        query, history: what the shopper asked, and the item ids of what they did just before (newest first).
        context_text: query and history in words, what the model reads first.
        item_text: title, category, brand and price band as of `event_time`, what it reads second.
        targets: what each objective would have the model say; empty where an earlier writer knew the label alone.
        position: where the item stood in its impression, 1 for the first; 0 where it stood in none.
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
    targets: tuple[float, ...] = ()
    position: int = 0


_NAMES_0_1: Final = Sample.__struct_fields__[: Sample.__struct_fields__.index("item_text") + 1]
_Sample01: Final[Any] = msgspec.defstruct("_Sample01", _NAMES_0_1, frozen=True, gc=False)
"""What a sample was in 0.1."""


def relabelled_sample(sample: Sample, label: int) -> Sample:
    """The sample with another label, and the first target that goes with it."""
    return msgspec.structs.replace(sample, label=label, targets=relabelled(sample.targets, label))


def digest_of(sample: Sample) -> str:
    """32 hex digits over all that a sample says, but for the pseudonym (whose key differs between deployments)."""
    return _digest(msgspec.structs.replace(sample, user=""))


def digest_0_1_of(sample: Sample) -> str:
    """The same over what a sample said in 0.1, so that a join of today can be held against one of then."""
    return _digest(
        _Sample01(*["" if name == "user" else getattr(sample, name) for name in _NAMES_0_1])
    )


def _digest(sample: Any) -> str:
    return hashlib.blake2b(_ENCODER.encode(sample), digest_size=16).hexdigest()


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
