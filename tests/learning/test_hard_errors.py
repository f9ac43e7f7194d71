"""Whether wrong labels are the harder ones: worked by hand, beside scipy, and simulated."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu

from mainstem.learning.hard_errors import HardErrors

RANDOM = np.random.default_rng(0)


def margins(values: NDArray[np.float64], truth: NDArray[np.int64]) -> NDArray[np.float64]:
    """Logits of two classes at which the true class has these margins."""
    return np.stack([np.zeros(len(values)), np.where(truth == 1, values, -values)], axis=1)


def test_one_class_is_the_test_of_mann_and_whitney() -> None:
    """Within one class, the figure and its standard errors are those of scipy."""
    values, wrong = RANDOM.normal(size=200), RANDOM.random(200) < 0.3
    values[wrong] -= 0.3
    truth = np.ones(200, np.int64)
    found = HardErrors.of(margins(values, truth), truth, np.where(wrong, 0, 1))
    their = mannwhitneyu(values[~wrong], values[wrong], use_continuity=False, alternative="greater")
    few, many = int(wrong.sum()), int((~wrong).sum())
    assert (few, many) == (found.wrong, found.right)
    assert pytest.approx(their.statistic / (few * many)) == found.harder
    spread = np.sqrt(few * many * 201 / 12)
    assert pytest.approx((their.statistic - few * many / 2) / spread) == found.clear


def test_a_class_that_is_harder_and_oftener_wrong_says_nothing() -> None:
    """Errors that fall alike within each class are told as alike, though the classes differ."""
    truth = np.repeat([0, 1], 2000)
    values = RANDOM.normal(size=4000) + 3 * truth
    wrong = RANDOM.random(4000) < np.where(truth == 1, 0.05, 0.4)
    found = HardErrors.of(margins(values, truth), truth, np.where(wrong, 1 - truth, truth))
    assert abs(found.clear or np.nan) < 2
    assert not found.weights_help


def test_errors_on_hard_samples_make_weights_help() -> None:
    """Where labels are wrong at small margins, a hundred confirmed samples are enough to say so."""
    truth = RANDOM.integers(0, 4, 100)
    logits = RANDOM.normal(size=(100, 4))
    logits[np.arange(100), truth] += 2
    others = np.where(np.arange(4) == truth[:, None], -np.inf, logits)
    margin = logits[np.arange(100), truth] - others.max(axis=1)
    given = np.where(margin < 0.5, others.argmax(axis=1), truth)
    found = HardErrors.of(logits, truth, given)
    assert found.harder == 1
    assert found.weights_help


@pytest.mark.parametrize("wrong", [0, 3, 9])
def test_few_confirmed_samples_say_nothing_against_weights(wrong: int) -> None:
    """With fewer than fifty confirmed samples nothing is known, and the evidence is heeded."""
    truth = np.ones(49, np.int64)
    given = np.where(np.arange(49) < wrong, 0, 1)
    found = HardErrors.of(margins(RANDOM.normal(size=49), truth), truth, given)
    assert (wrong, 49 - wrong) == (found.wrong, found.right)
    assert found.weights_help


def test_where_no_label_is_wrong_weights_cannot_help() -> None:
    """Fifty confirmed samples without a wrong label have no figure, and weights are left out."""
    truth = np.ones(50, np.int64)
    found = HardErrors.of(margins(RANDOM.normal(size=50), truth), truth, truth)
    assert (None, False) == (found.harder, found.weights_help)


def test_no_samples_have_no_figures() -> None:
    """Without confirmed gate samples there is no figure, and the evidence is heeded."""
    none = np.zeros(0, np.int64)
    found = HardErrors.of(np.zeros((0, 2)), none, none)
    assert HardErrors(0, 0) == found
    assert found.weights_help
