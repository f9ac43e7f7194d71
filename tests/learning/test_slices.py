"""Slices: queries by frequency, new items, new shoppers, and the largest categories."""

import numpy as np

from mainstem.learning.slices import slices_of
from mainstem.store.evaluations import SliceFacts
from tests.learning.samples import stored

DAY = 24 * 3_600_000
SAMPLES = [stored(number, history=("pot",) if number % 3 else ()) for number in range(300)]


def facts(number: int) -> SliceFacts:
    """Make facts: a query for each third number, a category for each tenth, an item of some age."""
    age = number * DAY if number < 200 else -1
    known = stored(number).sample_id
    return SliceFacts(known, known, number % 3, f"category {number % 10}", age)


FACTS = {SAMPLES[number].sample_id: facts(number) for number in range(300)}


def test_slices_hold_what_their_names_say() -> None:
    """Each slice holds the samples of its kind, and the five largest categories are slices."""
    found = slices_of(SAMPLES, FACTS, {1: "head"})
    numbers = np.arange(300)
    assert {
        "query=head": (numbers % 3 == 1).tolist(),
        "query=tail": (numbers % 3 == 2).tolist(),
        "query=none": (numbers % 3 == 0).tolist(),
        "item=new": (numbers < 30).tolist(),
        "shopper=new": (numbers % 3 == 0).tolist(),
        **{f"category=category {one}": (numbers % 10 == one).tolist() for one in range(5)},
    } == {name: held.tolist() for name, held in found.items()}


def test_a_slice_of_few_samples_or_of_all_is_left_out() -> None:
    """A slice of fewer than 30 samples says nothing, and one of all samples nothing new."""
    found = slices_of(SAMPLES[:40], {}, {})
    assert {} == found
    without_history = [stored(number) for number in range(40)]
    assert {} == slices_of(without_history, {}, {})
    assert {} == slices_of([], {}, {})
