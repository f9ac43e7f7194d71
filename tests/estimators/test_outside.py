"""Estimators against formulas written by hand from their papers, over whole histories at once."""

import numpy as np
import pytest
from scipy.stats import entropy, multivariate_normal
from sklearn.metrics import log_loss, pairwise_distances

from mainstem.estimators import State, dynamic_weights, estimator, unbiased_weights
from tests.estimators.streams import K, Stream, by_sample, counted, stream

CLOSE = {"rel": 1e-5, "abs": 1e-5}
CLASSES = pytest.mark.parametrize("classes", [2, 3, 5])


def found(name: str, one: Stream) -> np.ndarray:
    """What an estimator makes of a stream."""
    return by_sample(*counted(name, one), name)


def own(one: Stream) -> np.ndarray:
    """The probability of the label at each visit, shape (V, N)."""
    return np.array(
        [[p[y] for p, y in zip(at, one.label, strict=True)] for at in one.probabilities]
    )


@CLASSES
def test_el2n_is_the_mean_length_of_the_error(classes: int) -> None:
    """It is the L2 norm of softmax minus one-hot, averaged over versions (data diet, DeepCore)."""
    one = stream(classes=classes)
    errors = np.linalg.norm(one.probabilities - np.eye(classes)[one.label], axis=2)
    assert pytest.approx(errors.mean(axis=0), **CLOSE) == found("el2n", one)


@CLASSES
def test_forgetting_counts_the_falls_of_accuracy(classes: int) -> None:
    """It is the number of falls from right to wrong (DeepCore), 1,000 if never right."""
    one = stream(versions=9, classes=classes, seed=3)
    right = one.logits.argmax(axis=2) == one.label
    falls = ((right[:-1].astype(float) - right[1:]) > 0.01).sum(axis=0)
    expected = np.where(right.any(axis=0), falls, 1000)
    assert expected.tolist() == found("forgetting", one).tolist()
    assert {0, 1, 2} < set(falls.tolist())


@CLASSES
def test_aum_is_the_mean_margin_of_the_logits(classes: int) -> None:
    """It is the mean of the label's logit less the largest other one."""
    one = stream(classes=classes)
    margins = [
        [z[y] - np.delete(z, y).max() for z, y in zip(at, one.label, strict=True)]
        for at in one.logits
    ]
    assert pytest.approx(np.mean(margins, axis=0), **CLOSE) == found("aum", one)


@CLASSES
def test_label_quality_is_that_of_cleanlab(classes: int) -> None:
    """Self-confidence, normalised margin and confidence-weighted entropy, as cleanlab has them."""
    one = stream(classes=classes)
    p, confidence = one.probabilities[-1], own(one)[-1]
    others = np.array([np.delete(row, y).max() for row, y in zip(p, one.label, strict=True)])
    ratio = entropy(p, axis=1) / np.log(classes) / confidence
    assert pytest.approx(confidence, **CLOSE) == found("confidence", one)
    assert pytest.approx((confidence - others + 1) / 2, **CLOSE) == found("margin", one)
    assert pytest.approx(np.log(ratio + 1) / ratio, **CLOSE) == found("weighted_entropy", one)


@CLASSES
def test_uncertainty_is_that_of_the_newest_prediction(classes: int) -> None:
    """Entropy is SciPy's; least confidence is one less the largest probability (DeepCore)."""
    one = stream(classes=classes)
    p = one.probabilities[-1]
    assert pytest.approx(entropy(p, axis=1), **CLOSE) == found("entropy", one)
    assert pytest.approx(1 - p.max(axis=1), **CLOSE) == found("least_confidence", one)


@CLASSES
def test_cartography_is_mean_and_deviation_over_versions(classes: int) -> None:
    """Confidence and variability are numpy's mean and standard deviation of the probability."""
    one = stream(versions=7, classes=classes)
    assert pytest.approx(own(one).mean(axis=0), **CLOSE) == found("mean_confidence", one)
    assert pytest.approx(own(one).std(axis=0), rel=1e-4, abs=1e-5) == found("variability", one)


def test_loss_is_the_mean_log_loss() -> None:
    """It is scikit-learn's log-loss of each sample, averaged over versions."""
    one = stream(samples=6, classes=3)
    expected = [
        np.mean([log_loss([y], [p[place]], labels=[0, 1, 2]) for p in one.probabilities])
        for place, y in enumerate(one.label)
    ]
    assert pytest.approx(expected, rel=1e-4) == found("loss", one)


def test_excess_loss_is_newest_less_first() -> None:
    """It is the loss of the newest version less that of the first, and nothing after one visit."""
    one = stream()
    assert pytest.approx(one.loss[-1] - one.loss[0], **CLOSE) == found("excess_loss", one)
    assert np.isnan(found("excess_loss", stream(versions=1))).all()


def test_norms_are_means_over_visits_in_units_of_the_scale() -> None:
    """Norm, squared norm and normalised norm are numpy's means, the last two as shares."""
    one = stream()
    norm = one.norm / 2  # the scale
    mean, square = norm.mean(axis=0), np.square(norm).mean(axis=0)
    assert pytest.approx(mean, **CLOSE) == found("response_norm", one)
    assert pytest.approx(square / square.sum(), rel=1e-9) == found("squared_norm", one)
    assert pytest.approx(mean / mean.sum(), rel=1e-9) == found("normalised_norm", one)
    length = np.linalg.norm((one.sketch / 2).mean(axis=0), axis=1)
    assert pytest.approx(length, rel=2e-3) == found("norm_of_mean", one)


def test_unbiased_weights_make_a_draw_unbiased() -> None:
    """The expectation of a drawn, weighted loss is the mean loss, with and without mixing."""
    random = np.random.default_rng(0)
    chances, losses = random.dirichlet(np.ones(20)), random.normal(size=20)
    for mix in (0.0, 0.3):
        drawn = (1 - mix) * chances + mix / 20
        weights = unbiased_weights(chances, mix)
        assert pytest.approx(losses.mean()) == (drawn * weights * losses).sum()
    assert unbiased_weights(chances, 0.5).max() <= 2


def test_dynamic_weights_have_mean_one_above_the_threshold() -> None:
    """They are shares times the number of samples, and 0 below the threshold."""
    shares = np.random.default_rng(0).dirichlet(np.ones(20))
    assert pytest.approx(1) == dynamic_weights(shares).mean()
    weights = dynamic_weights(shares, threshold=0.5)
    assert weights.tolist() == [20 * one if 20 * one >= 0.5 else 0 for one in shares]


def test_leverage_is_a_solved_system() -> None:
    """It is s' A^-1 s with A the damped second moment of all mean sketches, by plain inversion."""
    one = stream(samples=60)
    mean = (one.sketch / 2).mean(axis=0).astype(np.float16).astype(np.float64)
    moment = mean.T @ mean / 60
    damped = moment + 0.1 * np.trace(moment) / K * np.eye(K)
    expected = np.einsum("nk,kl,nl->n", mean, np.linalg.inv(damped), mean)
    assert pytest.approx(expected, rel=1e-2) == found("leverage", one)


def test_information_gain_is_the_entropy_that_a_sample_takes_away() -> None:
    """It is the difference of two Gaussian entropies, before and after the sample (SciPy)."""
    one = stream(samples=25)
    mean = (one.sketch / 2).mean(axis=0).astype(np.float16).astype(np.float64)
    moment = mean.T @ mean / 25
    precision = 25 * (moment + 0.1 * np.trace(moment) / K * np.eye(K))
    before = multivariate_normal(cov=np.linalg.inv(precision)).entropy()
    expected = [
        before - multivariate_normal(cov=np.linalg.inv(precision + np.outer(s, s))).entropy()
        for s in mean
    ]
    assert pytest.approx(expected, rel=1e-2) == found("information_gain", one)


def test_tracin_adds_up_dots_and_alignment_averages_cosines() -> None:
    """They are the sum of norm times cosine, and the mean cosine, over versions."""
    one = stream()
    dots = (one.alignment * one.norm / 2).sum(axis=0)
    assert pytest.approx(dots, **CLOSE) == found("tracin", one)
    assert pytest.approx(one.alignment.mean(axis=0), **CLOSE) == found("alignment", one)


@CLASSES
def test_the_likelihood_ratio_is_bayes(classes: int) -> None:
    """It is log P(y|x) less the logarithm of the label's share among all samples."""
    one = stream(classes=classes)
    prior = np.bincount(one.label, minlength=classes)[one.label] / len(one.label)
    expected = np.log(own(one)[-1]) - np.log(prior)
    assert pytest.approx(expected, **CLOSE) == found("likelihood_ratio", one)


def test_similarity_and_density_are_those_of_scikit_learn() -> None:
    """Cosines with the label's mean direction, and distances of directions to the ten nearest."""
    one = stream(samples=50, classes=3)
    mean = (one.sketch / 2).mean(axis=0).astype(np.float64)
    unit = mean / np.linalg.norm(mean, axis=1, keepdims=True)
    directions = np.stack([unit[one.label == y].mean(axis=0) for y in range(3)])
    cosines = 1 - pairwise_distances(unit, directions, metric="cosine")
    expected = cosines[np.arange(50), one.label]
    assert pytest.approx(expected, abs=2e-3) == found("similarity", one)
    nearest = np.sort(pairwise_distances(unit), axis=1)[:, 1:11].mean(axis=1)
    assert pytest.approx(-nearest, abs=2e-3) == found("density", one)


def test_random_is_uniform_and_changes_with_seed_and_version() -> None:
    """Its numbers fill [0, 1), and another version or seed gives unrelated ones."""
    _, rows = counted("random", stream(samples=2000, versions=1))
    _, later = counted("random", stream(samples=2000, versions=2))
    numbers = [
        estimator("random", seed=seed).value(
            State({name: some[name] for name in some}, slice(None), "random")
        )
        for some, seed in ((rows, 0), (rows, 1), (later, 0))
    ]
    for one in numbers:
        assert 0 <= one.min() <= one.max() < 1
        assert np.histogram(one, 10, (0, 1))[0].min() > 140
    assert np.abs(np.corrcoef(numbers) - np.eye(3)).max() < 0.1


def test_an_unknown_name_is_told_with_the_known_ones() -> None:
    """The error names what was asked for and what there is."""
    with pytest.raises(ValueError, match=r"'best' is no estimator; there are response_norm, .*aum"):
        estimator("best")
