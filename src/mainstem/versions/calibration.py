"""The calibration of a version: it makes a probability of a score.

A network is trained on a choice of samples, and is more sure of itself than it should be. A
calibration is a rising curve from the log-odds that a version gives to the share of samples with
these log-odds that were answered with yes.
"""

from typing import Any, Self

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression
from scipy.special import expit, logit

__all__ = ["Calibration", "isotonic"]


class Calibration(Struct, frozen=True, kw_only=True):
    """A rising curve from log-odds to probabilities, straight between its points.

    Attributes:
        log_odds: log-odds of the points, rising.
        shares: share of yes at each point, rising, inside (0, 1). Below the first point and above
            the last one the curve is flat.
        samples: number of samples that the curve was fitted on.
        offset: number that is added to the log-odds of a share, because the negatives of the
            samples were drawn: mean log of their sampling probability; 0 if none was drawn.

    Example:
        >>> odds, labels = np.array([-2.0, -1.0, 1.0, 2.0]), np.array([0, 1, 0, 1])
        >>> fitted = Calibration.fit(odds, labels)
        >>> fitted.shares_of(np.array([-9.0, 0.0, 9.0])).round(2).tolist()
        [0.17, 0.5, 0.83]
    """

    log_odds: tuple[float, ...]
    shares: tuple[float, ...]
    samples: int
    offset: float = 0.0

    @classmethod
    def fit(
        cls, log_odds: NDArray[np.float64], labels: NDArray[Any], offset: float = 0.0
    ) -> Self | None:
        """Fit the curve by isotonic regression, every sample counting alike.

        Drawn negatives count as one sample each, too: weighed by the inverse of their sampling
        probability, a few of them would be the whole curve. The offset makes up for it.

        Args:
            log_odds: log-odds of a yes that the version gives to each sample, shape (N,), finite.
            labels: 0 or 1 for each sample, shape (N,).
            offset: mean log of the sampling probability of drawn negatives.

        Returns:
            The curve; None if the samples have only one label.
        """
        count = len(labels)
        if not 0 < labels.sum() < count:
            return None
        points, shares = isotonic(log_odds, labels)
        # of N samples alike, nobody knows that the next one is so too
        least = 1 / (count + 2)
        inside = np.clip(shares, least, 1 - least)
        return cls(
            log_odds=tuple(points.tolist()),
            shares=tuple(inside.tolist()),
            samples=count,
            offset=offset,
        )

    def shares_of(self, log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
        """Share of yes among samples made as those of the fit, drawn negatives included."""
        return np.interp(log_odds, self.log_odds, self.shares)

    def probabilities_of(self, log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probability of a yes among all pairs that the shop could have shown.

        It differs from the share where negatives were drawn: most of them were not.
        """
        found: NDArray[np.float64] = expit(logit(self.shares_of(log_odds)) + self.offset)
        return found


def isotonic(
    scores: NDArray[np.float64], labels: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The rising step function nearest to the labels, by pool adjacent violators.

    Args:
        scores: score of each sample, shape (N,), N >= 1.
        labels: number that the function is to give for each sample, shape (N,).

    Returns:
        Rising scores at which the steps begin and end, and the level at each, shape (P,) both.

    Example:
        >>> isotonic(np.array([1.0, 2.0, 3.0, 4.0]), np.array([0, 1, 0, 1]))
        (array([1., 2., 3., 4.]), array([0. , 0.5, 0.5, 1. ]))

    Source:
        Zadrozny and Elkan, Transforming classifier scores into probability estimates, KDD 2002,
        https://doi.org/10.1145/775047.775151.
    """
    points, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    means = np.bincount(place, labels) / counts
    levels = isotonic_regression(means, weights=counts.astype(np.float64)).x
    # the inner points of a step say nothing
    is_same = levels[1:] == levels[:-1]
    kept = ~(np.append(False, is_same) & np.append(is_same, False))
    return points[kept], levels[kept]
