"""Logistic regressions against those of scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from mainstem.logistic import Choice, Logistic


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.integers(2, 40), st.floats(-30, 30))
def test_the_regression_is_that_of_scikit_learn(seed: int, count: int, slope: float) -> None:
    """Weights and bias agree for few and many samples, and where labels are all but separable."""
    random = np.random.default_rng(seed)
    features = random.normal(size=(count, 3)) * (1, 3, 0)
    labels = (features @ (slope, 1, 0) + random.normal(size=count) > 0).astype(np.int64)
    labels[:2] = 0, 1
    theirs = LogisticRegression(tol=1e-9, max_iter=10_000).fit(features, labels)
    ours = Logistic.fit(features, labels)
    assert ours is not None
    assert pytest.approx(theirs.coef_[0], abs=1e-4, rel=1e-3) == ours.weights
    assert pytest.approx(theirs.intercept_[0], abs=1e-4, rel=1e-3) == ours.bias


def test_one_label_has_no_regression() -> None:
    """Where all samples are a yes, and where there are none, nothing is fitted."""
    assert Logistic.fit(np.ones((3, 2)), np.ones(3)) is None
    assert Logistic.fit(np.ones((0, 2)), np.ones(0)) is None


@pytest.mark.parametrize("penalty", [0.1, 10.0])
def test_the_penalty_is_one_over_c(penalty: float) -> None:
    """A penalty p gives the regression that scikit-learn gives with C = 1 / p."""
    random = np.random.default_rng(0)
    features = random.normal(size=(60, 3))
    labels = (features[:, 0] + random.normal(size=60) > 0.5).astype(np.int64)
    theirs = LogisticRegression(C=1 / penalty, tol=1e-9, max_iter=10_000).fit(features, labels)
    ours = Logistic.fit(features, labels, penalty)
    assert ours is not None
    assert pytest.approx(theirs.coef_[0], abs=1e-4) == ours.weights


def test_a_choice_with_a_block_for_each_class_is_multinomial_regression() -> None:
    """If each class offers the features in places of its own, the weights are those of classes."""
    random = np.random.default_rng(1)
    features, chosen = random.normal(size=(90, 2)), random.integers(0, 3, 90)
    chosen[features[:, 0] > 1] = 2
    theirs = LogisticRegression(fit_intercept=False, tol=1e-9, max_iter=10_000)
    theirs.fit(features, chosen)
    offers = np.zeros((90, 3, 6))
    for one in range(3):
        offers[:, one, 2 * one : 2 * one + 2] = features
    ours = Choice.fit(offers, chosen, np.ones(6))
    assert pytest.approx(theirs.coef_.ravel(), abs=1e-4) == ours.weights
    log_p = theirs.predict_log_proba(features)
    assert pytest.approx(log_p, abs=1e-4) == ours.log_probabilities(offers)


def test_a_choice_without_samples_stays_where_it_is_drawn_to() -> None:
    """Without samples the weights are those that the penalty draws them to."""
    toward = np.array([0.5, -2.0])
    fitted = Choice.fit(np.zeros((0, 3, 2)), np.zeros(0, np.int64), np.ones(2), toward)
    assert toward.tolist() == fitted.weights.tolist()
