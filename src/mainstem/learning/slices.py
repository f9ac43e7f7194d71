"""Slices: parts of the samples on which versions are measured one by one.

A version may be good on the whole and bad for rare queries, new items, new shoppers or a category.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from mainstem.join import PlacedSample
from mainstem.store.evaluations import SliceFacts

__all__ = ["slices_of"]

_LEAST: Final = 30  # samples of a slice; fewer say nothing
_CATEGORIES: Final = 5  # the largest ones
_NEW: Final = 30 * 24 * 3_600_000  # age in milliseconds below which an item is new


def slices_of(
    samples: Sequence[PlacedSample],
    facts: Mapping[UUID, SliceFacts],
    frequent: Mapping[int, str],
) -> dict[str, NDArray[np.bool_]]:
    """The slices of some samples, by name.

    The slices are `query=head`, `query=torso`, `query=tail` and `query=none`; `item=new` (first
    described at most 30 days before the question); `shopper=new` (no item touched before); and
    `category=...` for the five largest categories.

    Args:
        samples: N samples.
        facts: facts of each sample by its id. A sample without facts is in no slice but that of
            new shoppers.
        frequent: `head` or `torso` for the hash of each frequent query.

    Returns:
        Which samples each slice holds, shape (N,) each. Slices of few samples are left out, and
        those that hold all samples.
    """
    columns: dict[str, list[str]] = {"query": [], "item": [], "shopper": [], "category": []}
    for sample in samples:
        known = facts.get(sample.sample_id)
        columns["query"].append(_frequency(known, frequent))
        columns["item"].append("new" if known and 0 <= known.item_age < _NEW else "")
        columns["shopper"].append("" if sample.history else "new")
        columns["category"].append(known.category if known else "")
    largest = Counter(name for name in columns["category"] if name).most_common(_CATEGORIES)
    names = {
        "query": ("head", "torso", "tail", "none"),
        "item": ("new",),
        "shopper": ("new",),
        "category": [name for name, _ in largest],
    }
    found = {
        f"{column}={name}": np.array([one == name for one in columns[column]], np.bool_)
        for column in columns
        for name in names[column]
    }
    return {name: held for name, held in found.items() if _LEAST <= held.sum() < len(samples)}


def _frequency(known: SliceFacts | None, frequent: Mapping[int, str]) -> str:
    if known is None:
        return ""
    return frequent.get(known.query, "tail") if known.query else "none"
