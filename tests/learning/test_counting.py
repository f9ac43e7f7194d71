"""Rankings by counting: logistic regression against scikit-learn, popularity by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from mainstem.learning.evaluation.counting import Counted, Counting, Logistic
from tests.learning.samples import stored

NAMES = ("age", "item_purchased_90", "item_clicked_90")


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


def known(count: int, *, purchases: float = 1.0) -> list:
    """Make samples whose items were bought more often where the answer is yes, mostly."""
    random = np.random.default_rng(count)
    return [
        stored(
            number,
            label=number % 2,
            features=(
                float(number % 2 + random.normal()),
                purchases * float(number % 2 + random.normal()),
                float(number),
            ),
        )
        for number in range(count)
    ]


def test_both_rankings_are_measured_on_each_slice() -> None:
    """The figures of a slice are the AUCs among its samples."""
    trained, judged = known(200), known(60)
    labels = np.array([one.label for one in judged])
    first = np.arange(60) < 30
    found = Counting(trained, NAMES).counted(judged, labels, {"gate": labels >= 0, "part": first})
    read = np.array([one.features for one in judged])
    theirs = LogisticRegression(tol=1e-9, max_iter=10_000).fit(
        [one.features for one in trained], [one.label for one in trained]
    )
    for name, held in (("gate", labels >= 0), ("part", first)):
        assert pytest.approx(roc_auc_score(labels[held], read[held, 1])) == found[name].popularity
        scores = theirs.decision_function(read[held])
        assert pytest.approx(roc_auc_score(labels[held], scores)) == found[name].logistic


def test_popularity_is_of_clicks_where_nothing_was_bought() -> None:
    """Where the feature of purchases is the same for all, clicks rank."""
    judged = known(60, purchases=0.0)
    labels = np.array([one.label for one in judged])
    found = Counting([], NAMES).counted(judged, labels, {"gate": labels >= 0})
    clicks = roc_auc_score(labels, [one.features[2] for one in judged])
    assert Counted(pytest.approx(clicks), None) == found["gate"]


def test_without_features_nothing_is_counted() -> None:
    """Samples without features have no counting beside them."""
    bare = [stored(number, label=number % 2) for number in range(60)]
    labels = np.arange(60) % 2
    assert {"gate": Counted()} == Counting(bare, NAMES).counted(bare, labels, {"gate": labels >= 0})
    assert {"gate": Counted()} == Counting([], NAMES).counted(
        [], labels[:0], {"gate": labels[:0] >= 0}
    )
