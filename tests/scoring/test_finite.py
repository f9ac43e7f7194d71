"""Responses that are not finite make no visit."""

import logging
from dataclasses import fields, replace

import numpy as np
import pytest

from mainstem.errors import NonFiniteError
from mainstem.responses import Responses
from mainstem.scoring.finite import finite_only
from tests.learning.samples import stored

SAMPLES = [stored(number) for number in range(4)]
ODD = [float("nan"), float("inf"), float("-inf")]


def responses(count: int = 4) -> Responses:
    """Make finite responses, no two numbers alike."""
    numbers = np.arange(1, 1 + 10 * count, dtype=np.float32).reshape(10, count)
    parts = [part.T.copy() for part in np.split(numbers[3:], [1, 3, 5])]
    return Responses(*numbers[:3], *parts)


def test_finite_responses_are_let_through(caplog: pytest.LogCaptureFixture) -> None:
    """Finite responses pass unchanged, and nothing is logged."""
    found = responses()
    assert (SAMPLES, found) == finite_only(SAMPLES, found, 3)
    assert [] == caplog.records


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("name", [one.name for one in fields(Responses)])
def test_others_are_left_out_and_told(
    name: str, odd: float, caplog: pytest.LogCaptureFixture
) -> None:
    """A response with any number that is not finite is dropped with its sample, and logged."""
    found, caplog_at = responses(), logging.WARNING
    getattr(found, name)[1] = odd
    samples, kept = finite_only(SAMPLES, found, 3)
    assert [SAMPLES[0], SAMPLES[2], SAMPLES[3]] == samples
    for one in fields(Responses):
        np.testing.assert_array_equal(
            getattr(responses(), one.name)[[0, 2, 3]], getattr(kept, one.name)
        )
    told = (
        "1 of 4 responses at version 3 are not finite and are left out, "
        f"like that of sample {SAMPLES[1].sample_id}"
    )
    assert [(caplog_at, told)] == [(one.levelno, one.getMessage()) for one in caplog.records]


def test_responses_that_keep_nothing_more_have_none_of_it() -> None:
    """Logits and representations that are not there stay away, whatever is left out."""
    found = replace(responses(), logits=None, representation=None)
    found.norm[1] = float("nan")
    samples, kept = finite_only(SAMPLES, found, 3)
    assert (3, None, None) == (len(samples), kept.logits, kept.representation)


def test_a_version_without_a_finite_response_is_an_error() -> None:
    """A version without a finite response is an error, unless the samples are few."""
    found, samples = responses(8), [stored(number) for number in range(8)]
    found.norm[:] = float("nan")
    with pytest.raises(
        NonFiniteError, match="version 3 gives no finite response to any of 8 samples"
    ):
        finite_only(samples, found, 3)
    few, _ = finite_only(
        samples[:2], Responses(*(getattr(found, one.name)[:2] for one in fields(found))), 3
    )
    assert [] == few
