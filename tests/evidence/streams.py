"""Small streams with wrong labels, for the tests of evidence."""

import numpy as np
from numpy.typing import NDArray

from mainstem.evidence import Known, Trusted


def blobs(
    seed: int = 0, *, samples: int = 600, classes: int = 2, wrong: float = 0.2
) -> tuple[Known, NDArray[np.int64]]:
    """Samples around a centre for each class, some of whose labels are any other class.

    Returns:
        The columns, all of them known, and the true labels.
    """
    random = np.random.default_rng(seed)
    truth = random.integers(0, classes, samples)
    centres = 3 * np.eye(classes, 6)
    places = centres[truth] + random.normal(size=(samples, 6))
    label = truth.copy()
    turned = random.random(samples) < wrong
    label[turned] = (truth[turned] + random.integers(1, classes, turned.sum())) % classes
    scores = places[:, :classes] + random.normal(size=(samples, classes))
    rows = np.arange(samples)
    margin = scores[rows, label] - scores.mean(axis=1)
    known = Known(
        label,
        classes,
        scores=scores,
        margin=margin,
        features=places[:, :2] + random.normal(size=(samples, 2)),
        representation=places.astype(np.float16),
        source=random.integers(0, 3, samples),
        question=np.arange(samples),
    )
    return known, truth


def one_sided(seed: int = 0, samples: int = 2000) -> tuple[Known, NDArray[np.int64]]:
    """Two thirds of the given yes are wrong, and no given no is.

    A version has learnt the given labels, so that its score says more about yes and no in the log
    than about the truth. A feature that no label went into tells the truth apart.
    """
    random = np.random.default_rng(seed)
    truth = (random.random(samples) < 0.1).astype(np.int64)
    no = np.flatnonzero(truth == 0)
    label = truth.copy()
    label[random.choice(no, 2 * int(truth.sum()), replace=False)] = 1
    score = 2 * label - 1 + 0.4 * truth + random.normal(size=samples)
    scores = np.stack([-score, score], axis=1) / 2
    feature = 2.5 * truth + random.normal(size=samples)
    useless = random.normal(size=(samples, 8)).astype(np.float16)
    known = Known(
        label,
        scores=scores,
        margin=(2 * label - 1) * score,
        features=feature[:, None],
        representation=useless,
    )
    return known, truth


def revealed(truth: NDArray[np.int64], count: int, seed: int = 0) -> Trusted:
    """True labels of some samples, drawn at random."""
    rows = np.sort(np.random.default_rng(seed).choice(len(truth), count, replace=False))
    return Trusted(rows, truth[rows])
