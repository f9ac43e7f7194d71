"""Logistic regressions of few numbers, fitted by Newton's method with numpy alone."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_softmax, softmax

__all__ = ["Choice", "Logistic"]

_STEPS: Final = 50
_GAIN: Final = 1e-12  # what a step must still take off the loss
_SMALL: Final = 1e-9  # share of a step below which it is not halved again

Floats = NDArray[np.float64]


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

    weights: Floats
    bias: float

    @classmethod
    def fit(cls, features: Floats, labels: NDArray[Any], penalty: float = 1.0) -> Self | None:
        """Fit the regression by Newton's method, with half the squared weights as a penalty.

        Args:
            features: features of N samples, shape (N, F), finite.
            labels: 0 or 1 for each sample, shape (N,).
            penalty: factor of the penalty, > 0; a higher factor keeps the weights smaller.

        Returns:
            The regression; None if the samples have only one label.

        Source:
            scikit-learn's `LogisticRegression(C=1 / penalty)` has the same optimum.
        """
        if not 0 < labels.sum() < len(labels):
            return None
        read = np.column_stack([features, np.ones(len(features))]).astype(np.float64)
        costs = np.append(np.full(features.shape[1], penalty), 0.0)

        def loss(at: Floats) -> float:
            log_odds = read @ at
            lost = np.logaddexp(0, log_odds).sum() - labels @ log_odds
            return float(lost + (costs * at**2).sum() / 2)

        def slope(at: Floats) -> tuple[Floats, Floats]:
            found = expit(read @ at)
            pull = read.T @ (found - labels) + costs * at
            bend = (read * (found * (1 - found))[:, None]).T @ read + np.diag(costs)
            return pull, bend

        at = _newton(loss, slope, np.zeros(read.shape[1]))
        return cls(at[:-1], float(at[-1]))

    def scores(self, features: Floats) -> Floats:
        """Log-odds of yes, shape (N,)."""
        found: Floats = features @ self.weights + self.bias
        return found


@dataclass(frozen=True)
class Choice:
    """A conditional logit: which of C classes is chosen, by J numbers that each class offers.

    The weights are shared by the classes, so a few hundred samples are enough to fit them.

    Attributes:
        weights: weight of each number, shape (J,).

    Example:
        >>> # three samples, two classes, one number: the larger one is chosen two times of three
        >>> offers = np.array([[[1.0], [0.0]], [[1.0], [0.0]], [[1.0], [0.0]]])
        >>> fitted = Choice.fit(offers, np.array([0, 0, 1]), np.array([1e-6]))
        >>> np.exp(fitted.log_probabilities(offers[:1])).round(2).tolist()
        [[0.67, 0.33]]

    Source:
        McFadden, Conditional Logit Analysis of Qualitative Choice Behavior, in Frontiers in
        Econometrics, 1974.
    """

    weights: Floats

    @classmethod
    def fit(
        cls, offers: Floats, chosen: NDArray[Any], penalty: Floats, toward: Floats | None = None
    ) -> Self:
        """Fit the weights by Newton's method, with a quadratic penalty on their distance.

        Args:
            offers: numbers of each class for each sample, shape (N, C, J), finite.
            chosen: class of each sample, shape (N,), int in [0, C).
            penalty: factor of the penalty on each weight, shape (J,), > 0.
            toward: where the penalty draws the weights to, shape (J,); zeros if None.
        """
        start = np.zeros(offers.shape[2]) if toward is None else toward.astype(np.float64)
        samples, flat = np.arange(len(offers)), offers.reshape(-1, offers.shape[2])

        def loss(at: Floats) -> float:
            lost = -log_softmax(offers @ at, axis=1)[samples, chosen].sum()
            return float(lost + (penalty * (at - start) ** 2).sum() / 2)

        def slope(at: Floats) -> tuple[Floats, Floats]:
            found = softmax(offers @ at, axis=1)  # (N, C)
            mean = (found[:, None, :] @ offers)[:, 0]  # (N, J)
            pull = (mean - offers[samples, chosen]).sum(0) + penalty * (at - start)
            bend = flat.T @ (flat * found.reshape(-1, 1)) - mean.T @ mean + np.diag(penalty)
            return pull, bend

        return cls(_newton(loss, slope, start.copy()))

    def log_probabilities(self, offers: Floats) -> Floats:
        """Log-probability of each class, shape (N, C)."""
        return np.asarray(log_softmax(offers @ self.weights, axis=1))


def _newton(
    loss: Callable[[Floats], float],
    slope: Callable[[Floats], tuple[Floats, Floats]],
    at: Floats,
) -> Floats:
    """Go to the minimum of a convex loss; a step is halved until the loss falls.

    `slope` gives the gradient and the Hessian at a place.
    """
    before = loss(at)
    for _ in range(_STEPS):
        pull, bend = slope(at)
        move, length = np.linalg.solve(bend, pull), 1.0
        if pull @ move < _GAIN:
            break
        while (after := loss(at - length * move)) > before and length > _SMALL:
            length /= 2
        at, before = at - length * move, after
    return at
