"""All parts together: what they find, with trusted samples and without."""

import dataclasses

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from mainstem.evidence import CrossFit, Known, Trusted, clipped_weights, on_one_scale, weigh
from mainstem.evidence.combined import _choice
from mainstem.evidence.contract import doubt_of
from mainstem.evidence.unaided import agreement, unaided
from tests.evidence.streams import blobs, one_sided, revealed


def test_one_sided_noise_is_found_where_the_margin_does_not_find_it() -> None:
    """Combined, doubt is as good as its best part; within the noisy label it beats the margin."""
    known, truth = one_sided()
    trusted = revealed(truth, 300)
    found = weigh(known, trusted, divisions=1)
    assert found.decides == "combined"
    rest = np.setdiff1d(np.arange(len(known)), trusted.rows)
    wrong = known.label != truth
    yes = rest[known.label[rest] == 1]
    margin = found.doubts[:, found.parts.index("margin")]
    assert roc_auc_score(wrong[yes], found.doubt[yes]) > 0.9
    assert roc_auc_score(wrong[yes], margin[yes]) < 0.7
    best = max(roc_auc_score(wrong[rest], its[rest]) for its in found.doubts.T)
    assert roc_auc_score(wrong[rest], found.doubt[rest]) > best - 0.01


def test_the_probability_of_being_right_is_calibrated() -> None:
    """On one-sided noise its mean is the share of right labels, by label."""
    known, truth = one_sided()
    found = weigh(known, revealed(truth, 300), divisions=1)
    for label in (0, 1):
        its = known.label == label
        assert pytest.approx((truth[its] == label).mean(), abs=0.06) == found.right[its].mean()


def test_the_same_seed_gives_the_same_doubt_and_another_nearly_the_same() -> None:
    """Doubt depends on the seed alone, and hardly on that."""
    known, truth = blobs(samples=200)
    trusted = revealed(truth, 60)
    one, again, other = (weigh(known, trusted, divisions=2, seed=seed) for seed in (0, 0, 1))
    assert np.array_equal(one.doubt, again.doubt)
    assert np.corrcoef(one.doubt, other.doubt)[0, 1] > 0.98


def test_no_trusted_sample_is_judged_by_a_model_that_saw_it() -> None:
    """Where labels are wrong at random, those of trusted samples are not found either."""
    random = np.random.default_rng(3)
    truth, label = random.integers(0, 2, 400), random.integers(0, 2, 400)
    known = Known(label, features=random.normal(size=(400, 30)))
    trusted = revealed(truth, 200)
    folds: list[CrossFit] = []
    found = weigh(known, trusted, divisions=2, watch=folds.append)
    wrong = label[trusted.rows] != trusted.truth
    assert pytest.approx(0.5, abs=0.1) == roc_auc_score(wrong, found.doubt[trusted.rows])
    for division in (folds[:5], folds[5:]):
        assert list(range(200)) == sorted(np.concatenate([one.held for one in division]))


def test_a_source_whose_labels_are_wrong_is_doubted() -> None:
    """How often the labels of a source are wrong is learnt where nothing else tells."""
    random = np.random.default_rng(0)
    truth, source = random.integers(0, 2, 600), np.repeat([0, 1], 300)
    label = np.where((source == 1) & (random.random(600) < 0.4), 1 - truth, truth)
    known = Known(label, features=random.normal(size=(600, 1)), source=source)
    found = weigh(known, revealed(truth, 300), divisions=1)
    assert found.right[source == 0].mean() > 0.87
    assert pytest.approx(0.6, abs=0.1) == found.right[source == 1].mean()


def test_what_each_part_says_adds_up_between_two_classes() -> None:
    """The say of the parts differs from doubt only by what is learnt of the given label."""
    known, truth = blobs()
    known = Known(known.label, scores=known.scores, features=known.features)
    found = weigh(known, revealed(truth, 200), divisions=1)
    trusted = np.isin(np.arange(600), revealed(truth, 200).rows)
    for label in (0, 1):
        rest = (found.doubt - found.say.sum(axis=1))[(known.label == label) & ~trusted]
        assert rest.std() < 0.05 * found.doubt.std()


@pytest.mark.parametrize(
    "trusted", [None, Trusted(), Trusted(np.arange(50), np.zeros(50, np.int64))]
)
def test_without_trusted_samples_of_two_labels_the_parts_that_need_none_decide(
    trusted: Trusted | None,
) -> None:
    """Doubt says which parts it comes from, and no label has a probability."""
    known, truth = blobs()
    found = weigh(known, trusted)
    assert found.decides == "neighbours + class means"
    assert np.isnan(found.right).all()
    assert roc_auc_score(known.label != truth, found.doubt) > 0.9


def test_representations_that_know_nothing_of_the_labels_do_not_decide() -> None:
    """Where neighbours do not agree with the labels, the score decides; then the margin."""
    known, _ = one_sided()
    assert weigh(known).decides == "score"
    rank, decides = unaided({"margin": np.zeros((3, 2))}, np.array([0, 1, 1]))
    assert (decides, rank.tolist()) == ("margin", [2 / 3] * 3)
    assert weigh(Known(np.array([0, 1]))).decides == "nothing"
    assert len(weigh(Known(np.zeros(0, np.int64))).doubt) == 0


def test_agreement_is_twice_the_auroc_less_one() -> None:
    """It is that of scikit-learn, averaged over the labels."""
    known, _ = blobs(classes=3)
    assert known.scores is not None
    areas = [
        roc_auc_score(known.label == one, -doubt_of(known.scores, np.full(600, one)))
        for one in range(3)
    ]
    assert pytest.approx(2 * np.mean(areas) - 1) == agreement(known.scores, known.label)


def test_versions_are_put_on_one_scale() -> None:
    """Equal ranks among the canaries are equal numbers, whatever the version's own scale."""
    random = np.random.default_rng(0)
    seen = random.normal(size=50)
    canaries = {1: seen, 2: 100 * np.exp(seen), 3: np.zeros(1)}
    values = np.concatenate([seen, 100 * np.exp(seen), [0.0, np.nan]])
    version = np.array([1] * 50 + [2] * 50 + [3, 1])
    found = on_one_scale(values, version, canaries)
    assert pytest.approx(found[:50]) == found[50:100]
    assert np.isnan(found[100])
    assert np.isfinite(found[101])


def test_weights_are_calibrated_by_samples_that_no_model_saw() -> None:
    """A probability that is too sure is drawn back to what the measured samples show."""
    random = np.random.default_rng(0)
    right = np.where(random.random(2000) < 0.5, 0.999, 0.4)
    correct = random.random(2000) < np.where(right > 0.9, 0.9, 0.2)
    rows = np.arange(0, 2000, 2)
    weights = clipped_weights(right, rows, correct[rows])
    assert pytest.approx(2 * 0.9 - 1, abs=0.08) == weights[right > 0.9].mean()
    assert (weights[right < 0.9] == 0).all()
    # where doubt is worse than chance, nothing is calibrated
    found = clipped_weights(right, rows, ~correct[rows], least=0.05)
    assert pytest.approx(np.maximum(2 * right - 1, 0.05)) == found


def test_columns_must_hold_the_same_samples() -> None:
    """A column of another length, scores of other classes and labels out of range are refused."""
    label = np.array([0, 1])
    with pytest.raises(ValueError, match="margin must hold the 2 samples"):
        Known(label, margin=np.zeros(3))
    with pytest.raises(ValueError, match=r"shape \(2, 3\)"):
        Known(label, 3, scores=np.zeros((2, 2)))
    with pytest.raises(ValueError, match=r"labels must lie in \[0, 2\)"):
        Known(np.array([0, 2]))


def test_a_few_trusted_samples_do_not_mistake_chance_for_evidence() -> None:
    """Doubt is nearly as good as the model of the truth, though chance speaks for other parts."""
    behind = []
    for seed in range(6):
        known, truth = one_sided(seed)
        random = np.random.default_rng(seed)
        assert known.features is not None
        features = known.features + 2 * random.normal(size=known.features.shape)
        source = random.integers(0, 8, len(known))
        known = dataclasses.replace(known, features=features, source=source)
        trusted = revealed(truth, 150, seed)
        found = weigh(known, trusted, divisions=1)
        yes = np.setdiff1d(np.flatnonzero(known.label == 1), trusted.rows)
        wrong = known.label[yes] != truth[yes]
        alone = found.doubts[yes, found.parts.index("truth")]
        behind.append(roc_auc_score(wrong, alone) - roc_auc_score(wrong, found.doubt[yes]))
    assert np.mean(behind) < 0.025


def test_a_part_that_speaks_against_the_truth_is_left_out() -> None:
    """Its weight is 0, and the rest is the regression of scikit-learn without it."""
    random = np.random.default_rng(0)
    truth = random.integers(0, 2, 200)
    right, against = truth + random.normal(size=200), random.normal(size=200) - truth
    useful, given = right - right.mean(), random.integers(0, 2, 200) - 0.5
    offers = np.zeros((200, 2, 3))
    offers[:, 1] = np.stack([useful, against - against.mean(), given], axis=1)
    found = _choice(offers, truth, np.ones(3), 2).weights
    theirs = LogisticRegression(fit_intercept=False, tol=1e-10)
    theirs.fit(offers[:, 1][:, [0, 2]], truth)
    assert pytest.approx([theirs.coef_[0, 0], 0, theirs.coef_[0, 1]], abs=1e-4) == found
