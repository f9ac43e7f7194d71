"""The sample: what one item of a question became. It contains its texts, and so stands alone."""

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
    """One pair of context and item, with its label at one `label_version`.

    Attributes:
        sample_id: hash of the question's event id and the item id; the same in every replay.
        label_version: number of outcomes that are folded into the label.
        question_id: hash of the question's event id.
        event_time: time of the question, in milliseconds since 1970 UTC.
        user: pseudonym of the shopper.
        source: kind of question: `impression`, `view`, `purchase` or `labelled` (a labelled text);
            `drawn` for a drawn negative.
        outcomes: kinds of the outcomes that are folded into the label, in event time order.
        label: first known target as a whole number, 1 for yes and 0 for no; for a labelled text
            with a class as its answer, the number of the class.
        weight: factor of this sample's loss in training: 1, or the inverse of its propensity up to
            the setting `propensity_cap`.
        sampling_probability: probability that the item was drawn from the items known at
            `event_time`; 1 if it was not drawn.
        query: the shopper's search query; empty if there was none.
        history: ids of the items that the shopper touched before the question, newest first.
        item_id: id of the item.
        category: category of the item as of `event_time`; empty if unknown.
        brand: brand of the item as of `event_time`; empty if unknown.
        price_band: price band of the item as of `event_time`; empty if unknown.
        context_text: query and titles of the history, which the model reads first.
        item_text: title, category, brand and price band, which the model reads second.
        targets: target of each objective, negative where it is unknown; empty in samples of release
            0.1, which had a label only.
        position: position of the item in its impression, from 1; 0 if it was in no impression.
        price: price of the item as of `event_time`; 0 if unknown.
        history_price: mean price of those items of the history that had one at `event_time`; 0 if
            none had.
        item_age: milliseconds from the first description of the item in the catalogue to the
            question; -1 if unknown.
        own_touches: how often the shopper viewed, clicked, carted or bought this item before the
            question, within `join.history_window` and as far as the joiner remembers.
        own_purchases: how often the shopper bought this item in that time.
        own_last: milliseconds from the last of these touches to the question; -1 if there was none.
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
    price: float = 0.0
    history_price: float = 0.0
    item_age: int = -1
    own_touches: int = 0
    own_purchases: int = 0
    own_last: int = -1


_NAMES_0_1: Final = Sample.__struct_fields__[: Sample.__struct_fields__.index("item_text") + 1]
_Sample01: Final[Any] = msgspec.defstruct("_Sample01", _NAMES_0_1, frozen=True, gc=False)
"""A sample with the fields that it had in release 0.1."""


def relabelled_sample(sample: Sample, label: int) -> Sample:
    """Copy a sample with another label and the first known target that agrees with it."""
    return msgspec.structs.replace(sample, label=label, targets=relabelled(sample.targets, label))


def digest_of(sample: Sample) -> str:
    """Digest of all fields of a sample but the pseudonym, whose key differs between deployments.

    Returns:
        32 hexadecimal digits.
    """
    return _digest(msgspec.structs.replace(sample, user=""))


def digest_0_1_of(sample: Sample) -> str:
    """Digest of the fields that a sample had in release 0.1, the pseudonym again left out.

    With it, the samples of a join can be compared with those of a join that release 0.1 made.
    """
    values = ["" if name == "user" else getattr(sample, name) for name in _NAMES_0_1]
    return _digest(_Sample01(*values))


def _digest(sample: Any) -> str:
    return hashlib.blake2b(_ENCODER.encode(sample), digest_size=16).hexdigest()


@lru_cache(maxsize=10_000)
def price_band(price: float | None) -> str:
    """The band of a price on a scale of 1, 2, 5, 10, ..., in words that a tokenizer keeps.

    The band is empty for an unknown price and for one that is not above 0.

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
