"""Rankings by counting: on all samples and on slices of them."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from mainstem.learning.evaluation.counting import Counted, Counting
from tests.learning.samples import stored

NAMES = ("age", "item_purchased_90", "item_clicked_90")


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
