"""Drawn negatives and rare labels: the offset of a logit, and balanced weights and draws."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.utils.class_weight import compute_sample_weight

from mainstem.objectives.imbalance import balanced_weights, resampled
from mainstem.objectives.offset import log_odds_offset

LABELS = np.array([0] * 7 + [1] * 2 + [4])


def test_the_offset_mends_what_drawing_negatives_did() -> None:
    """A logistic regression on drawn negatives has, with the offset, the intercept of all pairs."""
    random = np.random.default_rng(5)
    x = random.normal(size=200_000)
    target = random.random(len(x)) < 1 / (1 + np.exp(4 - x))
    kept = np.where(target, 1.0, 0.05)
    drawn = random.random(len(x)) < kept
    whole, part = (
        LogisticRegression(C=1e9).fit(x[mask, None], target[mask])
        for mask in (np.ones(len(x), bool), drawn)
    )
    offset = log_odds_offset(kept[drawn], target[drawn].astype(float))
    assert pytest.approx(np.log(0.05)) == offset
    assert pytest.approx(float(whole.intercept_[0]), abs=0.05) == float(part.intercept_[0]) + offset


def test_negatives_of_several_probabilities_stand_for_their_pairs() -> None:
    """One negative in a hundred and one in ten are two of 110, and unknown targets do not count."""
    kept, target = np.array([1.0, 0.01, 0.1, 0.5]), np.array([1.0, 0.0, 0.0, -1.0])
    assert pytest.approx(np.log(2 / 110)) == log_odds_offset(kept, target)
    assert 0.0 == log_odds_offset(kept[1:], target[1:])


def test_a_probability_of_zero_is_refused() -> None:
    """A sample that cannot have been drawn has no offset."""
    with pytest.raises(ValueError, match="above 0"):
        log_odds_offset(np.array([0.0]), np.array([0.0]))


def test_balanced_weights_are_those_of_scikit_learn() -> None:
    """Each label that occurs has the same total weight, as in scikit-learn."""
    expected = compute_sample_weight("balanced", LABELS)
    assert pytest.approx(expected, rel=1e-6) == balanced_weights(LABELS)


def test_a_resampled_round_draws_each_label_equally_often() -> None:
    """Each of three labels takes about a third of the draws, which the seed repeats."""
    labels = np.repeat(LABELS, 1000)
    drawn = resampled(labels, np.random.default_rng(1))
    counts = np.bincount(labels[drawn])[[0, 1, 4]] / len(labels)
    assert pytest.approx([1 / 3] * 3, abs=0.02) == counts
    assert drawn.tolist() == resampled(labels, np.random.default_rng(1)).tolist()
