"""One battery for all parts of evidence, and each part against an outside truth."""

import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestNeighbors

from mainstem.evidence import PARTS, Known, Part, Trusted
from mainstem.evidence.class_means import ClassMeans
from mainstem.evidence.contract import Floats, doubt_of
from mainstem.evidence.margin import Margin
from mainstem.evidence.neighbours import Neighbours, nearest
from mainstem.evidence.similar import Similar
from mainstem.evidence.truth import Truth
from tests.evidence.streams import blobs, revealed

NAMES = [part.name for part in PARTS]


def fits(part: Part, known: Known, trusted: Trusted, rows: NDArray[np.int64]) -> Floats:
    """What a part says of some samples."""
    reading = part.read(known)
    assert reading is not None
    return reading.fits(trusted, rows)


@pytest.mark.parametrize("part", PARTS, ids=NAMES)
@pytest.mark.parametrize("classes", [2, 4])
def test_a_part_finds_wrong_labels_on_easy_samples(part: Part, classes: int) -> None:
    """Wrong labels are more doubtful than right ones, nearly always, and twice the same."""
    known, truth = blobs(classes=classes)
    trusted = revealed(truth, 200)
    rows = np.setdiff1d(np.arange(len(known)), trusted.rows)
    found = fits(part, known, trusted, rows)
    assert np.array_equal(found, fits(part, known, trusted, rows))
    doubt = doubt_of(found, known.label[rows])
    wrong = known.label[rows] != truth[rows]
    if part.name != "similar with its label":  # which needs many trusted samples of each label
        assert np.median(doubt[wrong]) > np.quantile(doubt[~wrong], 0.7)


@pytest.mark.parametrize("part", PARTS, ids=NAMES)
def test_the_order_of_the_samples_does_not_matter(part: Part) -> None:
    """Samples in another order get the same fits, but for rounding."""
    known, truth = blobs()
    trusted, everyone = revealed(truth, 100), np.arange(len(known))
    order = np.random.default_rng(1).permutation(len(known))
    moved = {
        one.name: getattr(known, one.name)[order]
        for one in dataclasses.fields(known)
        if one.name != "classes"
    }
    place = np.argsort(order)
    there = Trusted(place[trusted.rows], trusted.truth)
    found = fits(part, Known(classes=2, **moved), there, everyone)
    assert pytest.approx(fits(part, known, trusted, order), abs=1e-3) == found


@pytest.mark.parametrize("part", PARTS, ids=NAMES)
def test_hostile_numbers_stay_finite(part: Part) -> None:
    """Infinities, NaN and huge numbers in every column give finite fits."""
    known, truth = blobs(samples=80)
    hostile = {}
    for name in ("scores", "margin", "features", "representation"):
        column = np.array(getattr(known, name), np.float64)
        column[:5] = np.array([np.nan, np.inf, -np.inf, 1e300, -1e300]).reshape(
            5, *[1] * (column.ndim - 1)
        )
        hostile[name] = column
    with np.errstate(all="raise", under="ignore"):
        columns = Known(known.label, **hostile, source=known.source)
        found = fits(part, columns, revealed(truth, 40), np.arange(80))
    assert np.isfinite(found).all()


@pytest.mark.parametrize("part", PARTS, ids=NAMES)
def test_a_part_says_nothing_where_its_column_is_unknown(part: Part) -> None:
    """With labels alone no part has a reading."""
    assert part.read(Known(np.zeros(3, np.int64))) is None


def test_votes_are_those_of_scikit_learn_over_the_share_of_labels() -> None:
    """The neighbours by cosine, without the sample, vote; labels are divided by their share."""
    known, _ = blobs(samples=150, classes=3)
    vectors = np.asarray(known.representation, np.float32)
    theirs = NearestNeighbors(n_neighbors=8, metric="cosine", algorithm="brute").fit(vectors)
    near = theirs.kneighbors(return_distance=False)
    votes = np.stack([(known.label[near] == one).sum(axis=1) for one in range(3)], axis=1)
    share = np.bincount(known.label) / 150
    expected = np.log((votes + 1) / (7 + 1)) - np.log((8 * share + 1) / 8)
    ours = fits(Neighbours(count=8), known, Trusted(), np.arange(150))
    assert pytest.approx(expected, abs=1e-9) == ours


def test_neighbours_are_looked_for_among_some_of_many() -> None:
    """No neighbour lies outside the samples looked at, and none is the sample itself."""
    known, _ = blobs(samples=60)
    among = np.array([1, 5, 8, 30, 59])
    assert known.representation is not None
    for rows, near, _ in nearest(known.representation, among, 4):
        assert np.isin(near, among).all()
        assert not (near == np.arange(60)[rows, None]).any()
    found = fits(Neighbours(among=20), known, Trusted(), np.arange(60))
    assert np.isfinite(found).all()


def test_class_means_leave_out_what_lies_far_from_its_class() -> None:
    """Worked by hand: the one wrong sample of three does not move the mean of its class."""
    vectors = np.array([[1.0, 0], [1, 0.02], [0, 1], [-1, 0], [-1, 0.02], [-1, -0.02]])
    known = Known(np.array([0, 0, 0, 1, 1, 1]), representation=vectors)
    part = ClassMeans(kept=2 / 3)
    doubt = doubt_of(fits(part, known, Trusted(), np.arange(6)), known.label)
    assert doubt.argmax() == 2
    all_kept = doubt_of(fits(ClassMeans(kept=1.0), known, Trusted(), np.arange(6)), known.label)
    assert doubt[2] > all_kept[2]


def test_the_doubt_of_the_margin_is_its_opposite() -> None:
    """The running margin with its sign turned is the doubt, however many classes there are."""
    margin = np.array([2.0, -1.0, 0.5])
    known = Known(np.array([0, 2, 1]), 3, margin=margin)
    found = doubt_of(fits(Margin(), known, Trusted(), np.arange(3)), known.label)
    assert (-margin).tolist() == found.tolist()


@pytest.mark.parametrize("of", ["numbers", "representation"])
def test_the_truth_is_the_regression_of_scikit_learn(of: str) -> None:
    """On the same inputs, p(true label) is that of a regression on the trusted samples."""
    known, truth = blobs(samples=200)
    trusted, rows = revealed(truth, 80), np.arange(200)
    reading = Truth(of).read(known)  # type: ignore[arg-type]
    assert reading is not None
    theirs = LogisticRegression(tol=1e-9, max_iter=10_000)
    theirs.fit(reading.inputs[trusted.rows], trusted.truth)
    expected = theirs.predict_proba(reading.inputs)
    found = np.exp(reading.fits(trusted, rows))
    # probabilities are held a thousandth away from 0
    assert pytest.approx(expected, abs=0.002) == found


def test_the_truth_does_not_see_the_given_label() -> None:
    """Other given labels leave the model of the truth as it is."""
    known, truth = blobs()
    other = dataclasses.replace(known, label=1 - known.label)
    trusted, rows = revealed(truth, 80), np.arange(600)
    for part in (Truth("numbers"), Truth("representation"), Similar()):
        assert np.array_equal(fits(part, known, trusted, rows), fits(part, other, trusted, rows))


def test_similar_trusted_samples_worked_by_hand() -> None:
    """Shares are weighed by exp(8 cosine); a trusted sample does not count for itself."""
    vectors = np.array([[1.0, 0], [1, 0], [0, 1], [-1, 0]])
    known = Known(np.array([0, 1, 1, 0]), representation=vectors)
    trusted = Trusted(np.array([1, 2]), np.array([0, 1]))
    found = fits(Similar(), known, trusted, np.array([0, 1]))
    share = 1 / (1 + np.exp(-8))
    expected = [[share + 0.02, 1 - share + 0.02], [0.02, 1.02]]
    assert pytest.approx(np.log(expected), abs=1e-6) == found
    # both trusted samples were given label 1, sample 0 was given 0: all classes are alike
    its = fits(Similar(same_label=True), known, trusted, np.array([0]))
    assert pytest.approx(np.log([[0.52, 0.52]])) == its
