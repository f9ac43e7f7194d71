"""The scale of a version, worked by hand."""

import numpy as np
import pytest

from mainstem.errors import NonFiniteError
from mainstem.join import PlacedSample, examples_of
from mainstem.objectives import Examples
from mainstem.responses import Responses
from mainstem.scoring import mean_norm, scale_of
from tests.learning.samples import stored

CLOSE = {"rel": 1e-12}


class FakeActive:
    """A version in which the norm of a sample is its item text."""

    def responses(self, examples: Examples) -> Responses:
        """Return norms read from the texts."""
        norms = np.array([float(item) for _, item in examples.pairs], np.float32)
        nothing, none = np.zeros(len(norms), np.float32), np.zeros((len(norms), 0), np.float32)
        return Responses(norms, nothing, nothing, none, none)


def samples(canaries: int, others: int) -> list[PlacedSample]:
    """Make canaries of norms 1, 2, 3 and so on, mixed with other samples of norm 100."""
    found = [stored(number, part="canary", item_text=str(1 + number)) for number in range(canaries)]
    found += [stored(1000 + number, item_text="100") for number in range(others)]
    return sorted(found, key=lambda one: one.sample_id.int % 7)


def test_a_scale_is_the_canaries_mean_norm() -> None:
    """With thirty canaries or more only canaries count."""
    assert pytest.approx(15.5, **CLOSE) == scale_of(FakeActive(), samples(30, 50))
    assert pytest.approx(20.5, **CLOSE) == scale_of(FakeActive(), samples(40, 0))


def test_too_few_canaries_make_it_the_mean_of_all() -> None:
    """With fewer than thirty canaries the scale is the mean of all samples."""
    assert pytest.approx((29 * 15 + 100 * 11) / 40, **CLOSE) == scale_of(
        FakeActive(), samples(29, 11)
    )
    assert pytest.approx(100.0, **CLOSE) == scale_of(FakeActive(), samples(0, 3))


def test_there_is_no_scale_without_samples() -> None:
    """Without samples the scale is None, not zero."""
    assert scale_of(FakeActive(), []) is None


@pytest.mark.parametrize("canaries", [0, 29, 30, 40])
def test_responses_that_are_known_give_the_same(canaries: int) -> None:
    """The scale computed from given responses is the one computed by scoring the samples."""
    some = samples(canaries, 9)
    found = FakeActive().responses(examples_of(some))
    assert scale_of(FakeActive(), some) == mean_norm(found, some)


def test_norms_of_zero_are_divided_by_one() -> None:
    """If all norms are zero, the scale is 1."""
    assert 1.0 == scale_of(FakeActive(), [stored(number, item_text="0") for number in range(3)])


def test_a_norm_that_is_no_number_is_left_out() -> None:
    """A few norms that are not finite are left out, and many are an error."""
    some = [stored(number, item_text=text) for number, text in enumerate(["2", "nan", "4", "inf"])]
    assert 3.0 == scale_of(FakeActive(), some)
    with pytest.raises(NonFiniteError, match="non-finite response norms of 2 of 3 samples"):
        scale_of(FakeActive(), some[1:])
