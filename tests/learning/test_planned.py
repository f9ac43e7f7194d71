"""How many passes a round plans: worked by hand, and in rounds of a learner."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mainstem.learning.training.planned import planned_epochs


@pytest.mark.parametrize(
    ("useful", "expected"),
    [
        ([], 3),  # the first round plans the most
        ([3], 3),  # all were useful, and there are no more
        ([1], 2),  # two were thrown away, and one of them is tried again
        ([3, 1], 2),
        ([1, 2], 3),
        ([0, 0], 3),  # rounds that trained nothing
        ([1, 0], 2),
    ],
)
def test_a_round_plans_one_more_than_was_useful(useful: list[int], expected: int) -> None:
    """The last round that trained says how many passes were useful, and one more is planned."""
    assert expected == planned_epochs(useful, most=3)


@given(st.lists(st.integers(0, 9)), st.integers(1, 9))
def test_a_plan_has_at_least_one_pass_and_no_more_than_the_most(
    useful: list[int], most: int
) -> None:
    """Whatever rounds found, and under whatever setting, a plan lies between one and the most."""
    assert 1 <= planned_epochs(useful, most) <= most
