"""AUC and log-loss against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import log_softmax
from sklearn.metrics import log_loss as their_log_loss
from sklearn.metrics import roc_auc_score

from mainstem.errors import NonFiniteError
from mainstem.learning.evaluation import Evaluation, auc, evaluate, log_loss
from mainstem.learning.evaluation.evaluation import logits_of
from mainstem.learning.evaluation.metrics import auc_of_classes
from mainstem.learning.evaluation.ranked import as_ranked
from mainstem.objectives import Examples
from mainstem.settings import Objectives
from tests.learning.samples import learnable, stored

# some of them tied
ODDS = st.floats(-8, 8) | st.integers(-3, 3).map(float)


class FakeActive:
    """A version that gives prepared answers."""

    def __init__(self, odds: list[float]) -> None:
        self.odds = odds
        self.asked: list[tuple[str, str]] = []
        self.examined: list[bool] = []

    def logits(self, given: Examples, *, examined: bool) -> np.ndarray:
        self.asked += given.pairs
        self.examined.append(examined)
        return of_odds(self.odds)


def of_odds(odds: list[float] | np.ndarray) -> np.ndarray:
    """Return logits of no and yes with these log-odds."""
    return np.column_stack([np.zeros(len(odds)), odds])


@given(st.lists(st.tuples(st.integers(0, 1), ODDS), min_size=2))
def test_auc_and_log_loss_are_those_of_scikit_learn(pairs: list[tuple[int, float]]) -> None:
    """AUC and log-loss agree for any labels and any log-odds, ties included."""
    labels, odds = (np.array(column) for column in zip(*pairs, strict=True))
    if 0 < labels.sum() < len(labels):
        assert pytest.approx(roc_auc_score(labels, odds)) == auc(labels, odds)
    probability = 1 / (1 + np.exp(-odds))
    assert pytest.approx(their_log_loss(labels, probability, labels=[0, 1])) == log_loss(
        labels, of_odds(odds)
    )


@given(st.lists(st.tuples(st.integers(0, 2), ODDS, ODDS, ODDS), min_size=6))
def test_several_classes_are_measured_as_scikit_learn_does(
    rows: list[tuple[int, float, float, float]],
) -> None:
    """AUC is the mean of each class against the rest, and log-loss is that of the softmax."""
    labels = np.array([0, 1, 2, *(row[0] for row in rows)])
    logits = np.array([[0.0] * 3] * 3 + [row[1:] for row in rows])
    scores = log_softmax(logits, axis=1)
    theirs = [roc_auc_score(labels == one, scores[:, one]) for one in range(3)]
    assert pytest.approx(np.mean(theirs)) == auc_of_classes(labels, logits)
    assert pytest.approx(their_log_loss(labels, np.exp(scores))) == log_loss(labels, logits)


@pytest.mark.parametrize(
    ("labels", "odds", "expected"),
    [
        ([0, 1], [1.0, 2.0], 1.0),
        ([1, 0], [1.0, 2.0], 0.0),
        ([0, 1], [1.0, 1.0], 0.5),
        ([0, 0, 1, 1], [1.0, 3.0, 2.0, 4.0], 3 / 4),
        ([1, 1], [1.0, 2.0], None),
        ([0, 0], [1.0, 2.0], None),
        ([], [], None),
    ],
)
def test_auc_worked_by_hand(labels: list[int], odds: list[float], expected: float | None) -> None:
    """AUC is the share of pairs in order, a tie counts half, and one label alone has no AUC."""
    assert expected == auc(np.array(labels, np.int64), np.array(odds))


def test_a_sure_error_has_a_finite_log_loss() -> None:
    """Log-odds beyond what a probability can hold give a finite log-loss."""
    assert 5000.0 == log_loss(np.array([0]), of_odds([5000.0]))
    assert 0.0 == log_loss(np.array([1]), of_odds([5000.0]))
    assert log_loss(np.array([], np.int64), of_odds([])) is None


def test_a_version_is_measured_on_its_samples() -> None:
    """Each pair is scored once, in order, and compared with its own label."""
    # labels 0 1 0 1
    samples, active = learnable(4), FakeActive([-1.0, 1.0, 2.0, 3.0])
    expected = Evaluation(4, 3 / 4, log_loss(np.array([0, 1, 0, 1]), of_odds(active.odds)))
    assert expected == evaluate(active, samples)
    assert [sample.pair for sample in samples] == active.asked


def test_logged_clicks_are_predicted_at_their_position_and_rankings_are_not() -> None:
    """An evaluation adds the examination tower; a ranking can leave it out."""
    active = FakeActive([-1.0, 1.0, 2.0, 3.0])
    evaluate(active, learnable(4))
    logits_of(active, learnable(4), examined=False)
    assert [True, False] == active.examined


def test_other_labels_may_be_given() -> None:
    """Planted errors are measured against the labels that are known to be true."""
    assert 1.0 == evaluate(FakeActive([-1.0, 1.0, 2.0, 3.0]), learnable(4), [0, 0, 1, 1]).auc


def test_no_samples_are_no_evaluation() -> None:
    """Without samples nothing is scored and no figure is reported."""
    active = FakeActive([])
    assert Evaluation(0, None, None) == evaluate(active, [])
    assert [] == active.asked


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), float("-inf")])
def test_an_answer_that_is_no_number_is_no_evaluation(odd: float) -> None:
    """One logit that is not finite prevents the evaluation, and the error counts such samples."""
    with pytest.raises(NonFiniteError, match=r"^non-finite logits for 1 of 4 samples$"):
        evaluate(FakeActive([-1.0, odd, 2.0, 3.0]), learnable(4))


def test_versions_are_measured_on_the_objective_that_ranks() -> None:
    """Labels are its targets, and samples that say nothing about it are left out."""
    objectives = Objectives(names="click,purchase,relevance", rank_by="relevance")
    samples = [
        stored(1, label=1, targets=(1.0, 0.0, 0.3)),
        stored(2, label=0, targets=(0.0, 0.0, -1.0)),
        stored(3, label=1, targets=(1.0, 1.0)),
        stored(4, label=1, targets=(1.0, 1.0, 0.9)),
    ]
    found = as_ranked(samples, objectives)
    assert [(samples[0].sample_id, 0), (samples[3].sample_id, 1)] == [
        (one.sample_id, one.label) for one in found
    ]
    assert samples == as_ranked(samples, Objectives())
