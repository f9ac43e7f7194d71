"""Measures within questions and calibration errors, against ir-measures and scikit-learn."""

import itertools

import ir_measures
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import ndcg_score

from mainstem.learning.evaluation import calibration_error, ndcg_of_questions, reciprocal_ranks

# samples as (question, gain, score); scores of few values are tied
SAMPLES = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(-3, 3).map(float)), max_size=40
)


def columns(samples: list[tuple[int, int, float]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Questions, gains and scores of samples."""
    rows = np.array(samples, np.float64).reshape(-1, 3)
    return rows[:, 0].astype(int), rows[:, 1].astype(int), rows[:, 2]


def rankable(questions: np.ndarray, gains: np.ndarray) -> list[np.ndarray]:
    """Rows of each question that has more than one gain."""
    each = [np.flatnonzero(questions == one) for one in np.unique(questions)]
    return [rows for rows in each if len(set(gains[rows])) > 1]


@given(SAMPLES, st.integers(1, 12))
def test_ndcg_is_that_of_scikit_learn(samples: list[tuple[int, int, float]], top: int) -> None:
    """NDCG agrees for grades and ties, question by question."""
    questions, gains, scores = columns(samples)
    theirs = [
        ndcg_score([gains[rows]], [scores[rows]], k=top) for rows in rankable(questions, gains)
    ]
    assert pytest.approx(theirs) == ndcg_of_questions(gains, scores, questions, top).tolist()


def test_ndcg_and_mrr_are_those_of_ir_measures() -> None:
    """Without ties, both means agree with ir-measures over 200 questions of 3 to 60 items."""
    random = np.random.default_rng(0)
    questions = np.repeat(np.arange(200), random.integers(3, 60, 200))
    gains = random.integers(0, 3, len(questions)) * (random.random(len(questions)) < 0.1)
    scores = random.normal(size=len(questions)) + gains
    rows = np.concatenate(rankable(questions, gains))
    told = [(str(questions[one]), str(one)) for one in rows]
    graded = [ir_measures.Qrel(*one, int(gains[row])) for one, row in zip(told, rows, strict=True)]
    scored = [
        ir_measures.ScoredDoc(*one, float(scores[row])) for one, row in zip(told, rows, strict=True)
    ]
    theirs = ir_measures.calc_aggregate([ir_measures.nDCG @ 10, ir_measures.RR], graded, scored)
    ours = ndcg_of_questions(gains, scores, questions), reciprocal_ranks(gains, scores, questions)
    assert pytest.approx(theirs[ir_measures.nDCG @ 10]) == ours[0].mean()
    assert pytest.approx(theirs[ir_measures.RR]) == ours[1].mean()


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=2, max_size=6))
def test_a_tie_counts_as_its_mean_over_all_orders(items: list[tuple[int, int]]) -> None:
    """The reciprocal rank is the mean over all orders of tied items, each as likely."""
    gains, scores = (np.array(column) for column in zip(*items, strict=True))
    ours = reciprocal_ranks(gains, scores.astype(np.float64), np.zeros(len(items)))
    if len(set(gains)) == 1:
        assert not len(ours)
        return
    each = []
    for order in itertools.permutations(range(len(items))):
        ranked = sorted(order, key=lambda one: -scores[one])
        each.append(1 / (1 + [gains[one] for one in ranked].index(1)))
    assert pytest.approx([np.mean(each)]) == ours.tolist()


def test_calibration_error_is_that_of_scikit_learns_curve() -> None:
    """With bins of equal size the error is the mean distance of scikit-learn's curve."""
    random = np.random.default_rng(1)
    probabilities = random.random(600)
    labels = (random.random(600) < probabilities**2).astype(np.int64)
    share, mean = calibration_curve(labels, probabilities, n_bins=15, strategy="quantile")
    assert pytest.approx(np.abs(share - mean).mean()) == calibration_error(labels, probabilities)


def test_calibration_error_of_ties_does_not_depend_on_their_order() -> None:
    """Samples of one probability that lie in two bins give one error in any order, here none."""
    probabilities, labels = np.full(100, 0.5), np.arange(100) % 2
    for order in (np.argsort(labels), np.arange(100)):
        assert 0.0 == calibration_error(labels[order], probabilities)
    assert 0.5 == calibration_error(np.ones(3, np.int64), probabilities[:3])
    assert calibration_error(np.zeros(0, np.int64), np.zeros(0)) is None


def test_no_samples_are_no_questions() -> None:
    """Without samples, and where all items of a question are alike, there is nothing to rank."""
    none = np.zeros(0)
    assert [] == ndcg_of_questions(none, none, none).tolist()
    assert [] == reciprocal_ranks(none, none, none).tolist()
    assert [] == reciprocal_ranks(np.ones(3), np.arange(3.0), np.zeros(3)).tolist()
