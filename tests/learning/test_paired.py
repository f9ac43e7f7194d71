"""Paired bootstrap intervals, against SciPy's bootstrap and scikit-learn's weighted AUC."""

import numpy as np
import pytest
from scipy.stats import bootstrap
from sklearn.metrics import roc_auc_score

from mainstem.learning.evaluation import Difference, paired_auc, paired_mean
from mainstem.learning.evaluation.paired import WeightedAuc


def drawn(questions: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Labels, two rankings of different skill, and questions of five items."""
    random = np.random.default_rng(4)
    labels = (random.random(5 * questions) < 0.3).astype(np.int64)
    better = labels + random.normal(size=len(labels))
    worse = 0.5 * labels + random.normal(size=len(labels)).round(1)
    return labels, better, worse, np.repeat(np.arange(questions), 5)


def test_an_interval_of_means_is_that_of_scipy() -> None:
    """The interval of a mean agrees with SciPy's percentile bootstrap."""
    random = np.random.default_rng(3)
    ours, theirs = random.random(300), random.random(300)
    found = paired_mean(ours, theirs, seed=1, draws=4000)
    scipys = bootstrap(
        (ours - theirs,), np.mean, n_resamples=4000, method="percentile", rng=random
    ).confidence_interval
    assert found is not None
    assert pytest.approx((ours - theirs).mean()) == found.mean
    assert pytest.approx(tuple(scipys), abs=0.004) == (found.low, found.high)


def test_an_auc_with_weights_is_that_of_scikit_learn() -> None:
    """The AUC of a draw is scikit-learn's with the draw's counts as weights, ties included."""
    labels, _, worse, _ = drawn(40)
    weights = np.random.default_rng(5).integers(0, 4, len(labels)).astype(np.float64)
    theirs = roc_auc_score(labels, worse, sample_weight=weights)
    assert pytest.approx(theirs) == WeightedAuc(labels, worse[None]).auc(weights)


def test_an_interval_of_aucs_is_that_of_scipy() -> None:
    """The interval of an AUC agrees with SciPy's bootstrap over whole questions."""
    labels, better, worse, questions = drawn(60)

    def difference(chosen: np.ndarray) -> float:
        rows = np.concatenate([np.flatnonzero(questions == one) for one in chosen])
        return roc_auc_score(labels[rows], better[rows]) - roc_auc_score(labels[rows], worse[rows])

    scipys = bootstrap(
        (np.arange(60),),
        difference,
        n_resamples=400,
        vectorized=False,
        method="percentile",
        rng=np.random.default_rng(6),
    ).confidence_interval
    found = paired_auc(labels, better, worse, questions, seed=7)
    assert found is not None
    assert pytest.approx(difference(np.arange(60))) == found.mean
    assert pytest.approx(tuple(scipys), abs=0.02) == (found.low, found.high)


def test_seeds_of_a_training_are_averaged_within_a_draw() -> None:
    """Scores of several training seeds are compared by their mean AUC."""
    labels, better, worse, questions = drawn(60)
    both = paired_auc(labels, np.stack([better, worse]), worse, questions, seed=7)
    one = paired_auc(labels, better, worse, questions, seed=7)
    assert both is not None
    assert one is not None
    assert pytest.approx(one.mean / 2) == both.mean
    assert pytest.approx(one.low / 2) == both.low


def test_whole_questions_are_drawn() -> None:
    """Samples repeated within their questions leave the interval as it is."""
    labels, better, worse, questions = drawn(60)
    once = paired_auc(labels, better, worse, questions, seed=7)
    thrice = paired_auc(*(np.repeat(one, 3) for one in (labels, better, worse, questions)), seed=7)
    assert once is not None
    assert thrice is not None
    assert pytest.approx((once.mean, once.low, once.high)) == (thrice.mean, thrice.low, thrice.high)


def test_a_ranking_differs_from_itself_by_nothing() -> None:
    """A ranking compared with itself differs by exactly 0 in every draw."""
    labels, better, _, questions = drawn(20)
    assert Difference(0.0, 0.0, 0.0) == paired_auc(labels, better, better, questions, seed=1)


def test_one_label_or_no_question_has_no_difference() -> None:
    """Where nothing can be ranked there is no difference."""
    ones, scores = np.ones(4, np.int64), np.arange(4.0)
    assert paired_auc(ones, scores, scores, np.arange(4), seed=1) is None
    assert paired_auc(ones[:0], scores[:0], scores[:0], ones[:0], seed=1) is None
    assert paired_mean(scores[:0], scores[:0], seed=1) is None
