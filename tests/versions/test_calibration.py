"""The calibration of a version, against scikit-learn's isotonic regression."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression

from mainstem.versions.calibration import Calibration, isotonic

# of three decimals, because scikit-learn takes nearly equal scores for one
SCORES = st.integers(-8000, 8000).map(lambda one: one / 1000) | st.integers(-3, 3).map(float)


@given(st.lists(st.tuples(SCORES, st.integers(0, 1)), min_size=1, max_size=60))
def test_the_steps_are_those_of_scikit_learn(samples: list[tuple[float, int]]) -> None:
    """Isotonic regression agrees at the samples, between them and beyond them, ties included."""
    scores, labels = (np.array(column, np.float64) for column in zip(*samples, strict=True))
    asked = np.concatenate([scores, np.linspace(-9, 9, 41)])
    theirs = IsotonicRegression(out_of_bounds="clip").fit(scores, labels)
    points, levels, counts = isotonic(scores, labels)
    assert len(scores) == counts.sum()
    assert pytest.approx(theirs.predict(asked), abs=1e-9) == np.interp(asked, points, levels)


def drawn(count: int, truth: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Log-odds, and labels for which the log-odds are twice too sure."""
    random = np.random.default_rng(0)
    log_odds = random.normal(0, 2, count)
    return log_odds, (random.random(count) < expit(truth * log_odds)).astype(np.int64)


def test_a_calibration_finds_the_true_probabilities() -> None:
    """Log-odds that are twice too sure become the probabilities that they should be."""
    fitted = Calibration.fit(*drawn(20_000))
    assert fitted is not None
    asked = np.linspace(-3, 3, 13)
    assert pytest.approx(expit(asked / 2), abs=0.06) == fitted.probabilities_of(asked)


def test_the_offset_undoes_the_drawing_of_negatives() -> None:
    """Fitted on a hundredth of the negatives, probabilities are those among all of them."""
    log_odds, labels = drawn(400_000, truth=1.0)
    is_rare = np.random.default_rng(1).random(len(labels)) < 0.02
    labels &= is_rare  # most pairs are a no
    kept = (labels == 1) | (np.random.default_rng(2).random(len(labels)) < 0.01)
    fitted = Calibration.fit(log_odds[kept], labels[kept], offset=float(np.log(0.01)))
    assert fitted is not None
    for low in (-2.0, 0.0, 2.0):
        among = (log_odds > low - 0.3) & (log_odds < low + 0.3)
        found = fitted.probabilities_of(log_odds[among]).mean()
        assert pytest.approx(labels[among].mean(), rel=0.15) == found
    assert 0.3 < fitted.shares_of(log_odds[kept]).mean() < 0.7


def test_a_probability_is_never_0_or_1() -> None:
    """Where all samples agree, a probability stays inside (0, 1), so that it has log-odds."""
    fitted = Calibration.fit(np.array([-1.0, 1.0]), np.array([0, 1]))
    assert fitted is not None
    found = fitted.probabilities_of(np.array([-1e9, 0.0, 1e9]))
    assert pytest.approx(0.5) == found[1]
    assert np.isfinite(logit(found)).all()
    assert pytest.approx([0.25, 0.75]) == fitted.shares_of(np.array([-1.0, 1.0])).tolist()


def test_a_calibration_keeps_the_order_of_scores() -> None:
    """Every higher score has a higher probability, inside a step and beyond the last one too."""
    fitted = Calibration.fit(*drawn(500), offset=-3.0)
    assert fitted is not None
    assert len(fitted.log_odds) < 60
    asked = np.linspace(-9, 9, 2000)
    assert (np.diff(fitted.probabilities_of(asked)) > 0).all()
    assert (np.diff(fitted.shares_of(asked)) > 0).all()


def test_one_label_has_no_calibration() -> None:
    """Without samples of both labels there is no curve."""
    assert Calibration.fit(np.array([1.0, 2.0]), np.array([1, 1])) is None
    assert Calibration.fit(np.zeros(0), np.zeros(0)) is None


def test_a_calibration_is_the_same_after_it_was_written() -> None:
    """Written as JSON and read again, a calibration gives the same numbers to the last bit."""
    fitted = Calibration.fit(*drawn(500), offset=-3.5)
    assert fitted == msgspec.json.decode(msgspec.json.encode(fitted), type=Calibration)
