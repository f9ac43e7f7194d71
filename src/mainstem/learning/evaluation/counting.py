"""Rankings by counting: popularity, and logistic regression on the behaviour features.

Whoever has the features can rank so without a network. A version that does not rank better than
these is not worth its passes, and is said to be so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from mainstem.behaviour import FEATURE_NAMES
from mainstem.join import PlacedSample
from mainstem.learning.evaluation.metrics import auc

__all__ = ["Counted", "Counting", "Logistic"]

_POPULAR: Final = ("item_purchased_90", "item_clicked_90")
_STEPS: Final = 50
_SMALL: Final = 1e-9  # size of a step after which no more follow


@dataclass(frozen=True)
class Counted:
    """AUC of rankings by counting on some samples.

    Attributes:
        popularity: AUC of popularity; None if it has no feature, or only one label occurs.
        logistic: AUC of a logistic regression on the features; None in the same cases.
    """

    popularity: float | None = None
    logistic: float | None = None


class Counting:
    """Rankings by counting, fitted on the samples that a round trains on.

    Args:
        samples: samples with labels of yes or no, and their features where they are known.
        names: names of the features, in order.
        popular: names of the features that popularity is taken from: the first one that tells
            samples apart is.
    """

    def __init__(
        self,
        samples: Sequence[PlacedSample],
        names: Sequence[str] = FEATURE_NAMES,
        popular: Sequence[str] = _POPULAR,
    ) -> None:
        self._names, self._popular = list(names), [one for one in popular if one in names]
        known = [sample for sample in samples if sample.features]
        labels = np.array([sample.label for sample in known], np.int64)
        self._logistic = Logistic.fit(self._read(known), labels)

    def counted(
        self,
        samples: Sequence[PlacedSample],
        labels: NDArray[np.int64],
        slices: Mapping[str, NDArray[np.bool_]],
    ) -> dict[str, Counted]:
        """AUC of the rankings on each slice of some samples.

        Args:
            samples: N samples.
            labels: true label of each sample, shape (N,).
            slices: which samples each slice holds, shape (N,), by its name.
        """
        if not any(sample.features for sample in samples):
            return dict.fromkeys(slices, Counted())
        read = self._read(samples)
        popular = self._popularity(read)
        fitted = self._logistic.scores(read) if self._logistic else None
        return {
            name: Counted(_auc(labels, popular, held), _auc(labels, fitted, held))
            for name, held in slices.items()
        }

    def _popularity(self, read: NDArray[np.float64]) -> NDArray[np.float64] | None:
        columns = [read[:, self._names.index(name)] for name in self._popular]
        return next((one for one in columns if one.min() < one.max()), None)

    def _read(self, samples: Sequence[PlacedSample]) -> NDArray[np.float64]:
        """Features of samples, shape (N, F); zeros where they are unknown."""
        read = np.zeros((len(samples), len(self._names)))
        for row, sample in enumerate(samples):
            if sample.features:
                read[row] = sample.features
        return read


@dataclass(frozen=True)
class Logistic:
    """A logistic regression.

    Attributes:
        weights: weight of each feature, shape (F,).
        bias: log-odds where all features are 0.

    Example:
        >>> features, labels = np.array([[-1.0], [1.0], [-1.0], [1.0]]), np.array([0, 1, 1, 1])
        >>> Logistic.fit(features, labels).scores(features).round(2).tolist()
        [0.6, 1.77, 0.6, 1.77]
    """

    weights: NDArray[np.float64]
    bias: float

    @classmethod
    def fit(cls, features: NDArray[np.float64], labels: NDArray[Any]) -> Self | None:
        """Fit the regression by Newton's method, with half the squared weights as a penalty.

        Args:
            features: features of N samples, shape (N, F), finite.
            labels: 0 or 1 for each sample, shape (N,).

        Returns:
            The regression; None if the samples have only one label.

        Source:
            scikit-learn's `LogisticRegression` with its defaults has the same optimum.
        """
        if not 0 < labels.sum() < len(labels):
            return None
        read = np.column_stack([features, np.ones(len(features))]).astype(np.float64)
        penalty = np.append(np.ones(features.shape[1]), 0.0)
        at = np.zeros(read.shape[1])
        for _ in range(_STEPS):
            found = expit(read @ at)
            pull = read.T @ (found - labels) + penalty * at
            bend = (read * (found * (1 - found))[:, None]).T @ read + np.diag(penalty)
            step = np.linalg.solve(bend, pull)
            at -= step * _length(read, labels, penalty, at, step)
            if np.abs(step).max() < _SMALL:
                break
        return cls(at[:-1], float(at[-1]))

    def scores(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log-odds of yes, shape (N,)."""
        found: NDArray[np.float64] = features @ self.weights + self.bias
        return found


def _length(
    read: NDArray[np.float64],
    labels: NDArray[Any],
    penalty: NDArray[np.float64],
    at: NDArray[np.float64],
    step: NDArray[np.float64],
) -> float:
    """The share of a Newton step that makes the loss fall: all of it but far from the optimum."""

    def loss(place: NDArray[np.float64]) -> float:
        log_odds = read @ place
        lost = np.logaddexp(0, log_odds).sum() - labels @ log_odds
        return float(lost + (penalty * place**2).sum() / 2)

    length, before = 1.0, loss(at)
    while length > _SMALL and loss(at - length * step) > before:
        length /= 2
    return length


def _auc(
    labels: NDArray[np.int64], scores: NDArray[np.float64] | None, held: NDArray[np.bool_]
) -> float | None:
    return None if scores is None else auc(labels[held], scores[held])
