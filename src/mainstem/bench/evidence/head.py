"""Quality after training: a linear head over features that stay as they are.

The head is trained on the labels of the stream, with weights, and measured on true labels. So what
evidence is worth to training shows in seconds, without training a whole model.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mainstem.evidence.contract import standardised
from mainstem.learning.evaluation.metrics import auc_of_classes

__all__ = ["HeadData", "Quality", "held_out", "readable", "right_of_truth"]

_LENGTH: Final = (
    4.0  # usual length of the features of a sample; longer ones are fitted more closely
)
_HELD_OUT: Final = 0.2
_FOLDS: Final = 3
_STEPS: Final = 300


@dataclass(frozen=True)
class Quality:
    """How well a head answers on true labels.

    Attributes:
        auc: AUC; with more than two classes, the mean of each class against the rest.
        accuracy: share of right answers.
    """

    auc: float | None
    accuracy: float


@dataclass(frozen=True)
class HeadData:
    """Samples that heads are trained and measured on.

    Attributes:
        features: features of N samples, shape (N, F).
        train: which samples may be trained on, shape (N,).
        test: features of the samples that are measured, shape (M, F).
        test_truth: their true labels, shape (M,).
        classes: number of classes.
    """

    features: NDArray[np.float64]
    train: NDArray[np.bool_]
    test: NDArray[np.float64]
    test_truth: NDArray[np.int64]
    classes: int

    def quality(self, label: NDArray[np.int64], weights: NDArray[np.float64]) -> Quality | None:
        """Train a head, and measure it.

        Args:
            label: labels to train on, shape (N,).
            weights: weight of each sample, shape (N,); those with 0 are left out.

        Returns:
            The quality; None if fewer than two classes are left to train on, or nothing to measure.
        """
        used = self.train & (weights > 0)
        if len(np.unique(label[used])) < 2 or not len(self.test):
            return None
        head = _fitted(self.features[used], label[used], weights[used])
        logits = _log_probabilities(head, self.test, self.classes)
        right = logits.argmax(axis=1) == self.test_truth
        return Quality(auc_of_classes(self.test_truth, logits), float(right.mean()))


def readable(columns: Sequence[NDArray[Any] | None], samples: int) -> NDArray[np.float64]:
    """Features for a head, shape (N, F).

    All have the same spread, and a sample's features have a length of about 4.

    Args:
        columns: numbers of N samples, each of shape (N, F), such as what a version's head read;
            None for those that are not known.
        samples: number of samples N.
    """
    wide = [standardised(one) for one in columns if one is not None]
    if not wide:
        return np.zeros((samples, 0))
    found = np.hstack(wide)
    return np.asarray(found * (_LENGTH / np.sqrt(max(found.shape[1], 1))))


def held_out(questions: NDArray[np.int64], seed: int) -> NDArray[np.bool_]:
    """A fifth of the questions, whose samples are measured and not trained on, shape (N,).

    Args:
        questions: number of the question of each sample, shape (N,), int >= 0.
        seed: seed of the draw.
    """
    chosen = np.random.default_rng((6, seed)).random(int(questions.max(initial=-1)) + 1)
    return np.asarray(chosen[questions] < _HELD_OUT)


def right_of_truth(
    features: NDArray[np.float64], truth: NDArray[np.int64], classes: int
) -> NDArray[np.float64]:
    """Probability that heads of the true labels give each true label, out of fold, shape (N,).

    Args:
        features: features of N samples, shape (N, F).
        truth: their true labels, shape (N,); 0.5 is returned for samples below 0.
        classes: number of classes.
    """
    right, fold = np.full(len(truth), 0.5), np.arange(len(truth)) % _FOLDS
    known = truth >= 0
    for one in range(_FOLDS):
        taught, held = known & (fold != one), np.flatnonzero(known & (fold == one))
        if len(np.unique(truth[taught])) < 2 or not features.shape[1]:
            continue
        head = _fitted(features[taught], truth[taught], np.ones(int(taught.sum())))
        found = _log_probabilities(head, features[held], classes)
        right[held] = np.exp(found[np.arange(len(held)), truth[held]])
    return right


def _fitted(
    features: NDArray[np.float64], label: NDArray[np.int64], weights: NDArray[np.float64]
) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=_STEPS).fit(features, label, sample_weight=weights)


def _log_probabilities(
    head: Any, features: NDArray[np.float64], classes: int
) -> NDArray[np.float64]:
    """Log-probability of every class, also of those that the head was not trained on."""
    found = np.full((len(features), classes), -30.0)
    if len(features):
        found[:, head.classes_] = head.predict_log_proba(features)
    return found
