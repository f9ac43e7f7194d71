"""Inclusion probabilities: worked by hand, and checked by simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mainstem.learning.draws.inclusion import inclusion_probabilities, systematic

SIZES = st.lists(st.sampled_from([0.0, 1e-6, 0.1, 0.5, 1.0, 3.0, 1e3]), min_size=1, max_size=30)


@pytest.mark.parametrize(
    ("sizes", "count", "least", "expected"),
    [
        # 2 of 10 in proportion
        ([1, 2, 3, 4], 2, None, [0.2, 0.4, 0.6, 0.8]),
        # 3 * 4 / 10 passes 1; the others share 2 in proportion to 1, 2, 3
        ([1, 2, 3, 4], 3, None, [1 / 3, 2 / 3, 1, 1]),
        # 9 is certain, and then 4 of 1, 1, 4 is certain too
        ([1, 1, 4, 9], 3, None, [0.5, 0.5, 1, 1]),
        # .5 for the first leaves 1.5 for 2, 3 and 4
        ([1, 2, 3, 4], 2, [0.5, 0, 0, 0], [0.5, 1.5 * 2 / 9, 1.5 * 3 / 9, 1.5 * 4 / 9]),
        # a least probability that is reached anyway changes nothing
        ([1, 2, 3, 4], 2, [0.1, 0, 0, 0.7], [0.2, 0.4, 0.6, 0.8]),
        # no size at all is uniform
        ([0, 0, 0, 0], 1, None, [0.25] * 4),
        # those of size 0 share what the others leave
        ([0, 0, 2, 5], 3, None, [0.5, 0.5, 1, 1]),
        # a least probability of a sample of size 0 stays
        ([0, 1, 1], 1, [0.2, 0, 0], [0.2, 0.4, 0.4]),
        # least probabilities beyond the count are scaled down
        ([1, 1], 1, [1, 1], [0.5, 0.5]),
        ([5, 1], 2, None, [1, 1]),
        ([1, 2], 0, None, [0, 0]),
        ([], 0, None, []),
    ],
)
def test_probabilities_are_those_worked_by_hand(
    sizes: list[float], count: int, least: list[float] | None, expected: list[float]
) -> None:
    """Probabilities follow sizes between their least and 1, and add up to the count."""
    low = None if least is None else np.array(least, float)
    found = inclusion_probabilities(np.array(sizes, float), count, low)
    assert pytest.approx(expected) == found.tolist()


@given(SIZES, st.data())
def test_probabilities_are_in_proportion_and_add_up(
    sizes: list[float], data: st.DataObject
) -> None:
    """They add up to the count, and those strictly between their bounds share one factor."""
    count = data.draw(st.integers(0, len(sizes)))
    low = np.array([data.draw(st.sampled_from([0.0, 0.0, 0.01, 0.3])) for _ in sizes])
    size = np.array(sizes)
    found = inclusion_probabilities(size, count, low)
    assert pytest.approx(count, abs=1e-9) == found.sum()
    assert ((found >= 0) & (found <= 1)).all()
    if low.sum() > count:
        return
    assert (found >= low - 1e-12).all()
    moved = (found > low + 1e-9) & (found < 1 - 1e-9) & (size > 0)
    factors = found[moved] / size[moved]
    assert not moved.any() or pytest.approx(factors[0], rel=1e-6) == factors.max()
    if moved.any():  # those at a bound would pass it
        assert (factors[0] * size[found <= low] <= low[found <= low] + 1e-9).all()
        assert (factors[0] * size[found >= 1] >= 1 - 1e-9).all()


@given(SIZES, st.integers(0, 2**32), st.data())
def test_a_draw_has_as_many_different_samples_as_the_count(
    sizes: list[float], seed: int, data: st.DataObject
) -> None:
    """The number of drawn samples is fixed, and none is drawn twice or without probability."""
    count = data.draw(st.integers(0, len(sizes)))
    probabilities = inclusion_probabilities(np.array(sizes), count)
    drawn = systematic(probabilities, np.random.default_rng(seed))
    assert count == len(set(drawn.tolist())) == len(drawn)
    assert (probabilities[drawn] > 0).all()
    assert set(np.flatnonzero(probabilities == 1)) <= set(drawn.tolist())


@pytest.mark.parametrize("in_order", [False, True])
def test_samples_are_included_as_often_as_their_probabilities_say(in_order: bool) -> None:
    """Over many draws each sample is included with its probability, in whichever order."""
    sizes = np.random.default_rng(3).gamma(0.5, size=40)
    probabilities = inclusion_probabilities(sizes, 12, np.where(np.arange(40) < 5, 0.2, 0))
    draws, random = 20_000, np.random.default_rng(0)
    order = np.arange(40) if in_order else None
    times = np.zeros(40)
    for _ in range(draws):
        times[systematic(probabilities, random, order)] += 1
    error = np.sqrt(probabilities * (1 - probabilities) / draws)
    assert (np.abs(times / draws - probabilities) <= 4.5 * error + 1e-12).all()


def test_samples_side_by_side_are_drawn_as_their_probabilities_add_up() -> None:
    """Of neighbours on the line, the number drawn is their sum of probabilities, down or up."""
    random = np.random.default_rng(1)
    probabilities = inclusion_probabilities(random.gamma(1.0, size=60), 20)
    total = probabilities[10:30].sum()
    for _ in range(300):
        drawn = systematic(probabilities, random, np.arange(60))
        assert int(((drawn >= 10) & (drawn < 30)).sum()) in {int(total), int(total) + 1}
