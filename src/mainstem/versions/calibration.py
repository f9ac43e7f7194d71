"""The calibration of a version: it makes a probability of a score.

A network is trained on a choice of samples, and is more sure of itself than it should be. A
calibration is a rising curve from the log-odds that a version gives to the share of samples with
these log-odds that were answered with yes.
"""

from typing import Any, Final, Self

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression
from scipy.special import expit, logit

__all__ = ["Calibration", "isotonic"]

_MOST: Final = 30.0  # largest log-odds, at which a probability still differs from 1


class Calibration(Struct, frozen=True, kw_only=True):
    """A rising curve from log-odds to shares of yes, straight in log-odds between its points.

    The points are the centres of the steps of an isotonic regression. The steps themselves would
    give many samples one probability, and so lose the order that the version puts them in. Beyond
    its points the curve goes on with its mean slope.

    Attributes:
        log_odds: log-odds of the points, rising.
        shares: share of yes at each point, rising, inside (0, 1).
        samples: number of samples that the curve was fitted on.
        offset: number that is added to the log-odds of a share, because negatives were drawn, and
            most of them were not; 0 where none was drawn.

    Example:
        >>> odds, labels = np.array([-2.0, -1.0, 1.0, 2.0]), np.array([0, 1, 0, 1])
        >>> fitted = Calibration.fit(odds, labels)
        >>> fitted.shares_of(np.array([-2.0, 0.0, 1.0, 2.0])).round(2).tolist()
        [0.17, 0.5, 0.69, 0.83]

    Source:
        Oron and Flournoy, Centered isotonic regression, Statistics in Biopharmaceutical Research
        2017, https://arxiv.org/abs/1701.05964.
    """

    log_odds: tuple[float, ...]
    shares: tuple[float, ...]
    samples: int
    offset: float = 0.0

    @classmethod
    def fit(
        cls, log_odds: NDArray[np.float64], labels: NDArray[Any], offset: float = 0.0
    ) -> Self | None:
        """Fit the curve, every sample counting alike.

        Drawn negatives count as one sample each, too: weighed by the inverse of their sampling
        probability, a few of them would be the whole curve. The offset makes up for it.

        Args:
            log_odds: log-odds of a yes that the version gives to each sample, shape (N,), finite.
            labels: 0 or 1 for each sample, shape (N,).
            offset: see `objectives.offset.log_odds_offset`.

        Returns:
            The curve; None if the samples have only one label.
        """
        count = len(labels)
        if not 0 < labels.sum() < count:
            return None
        points, levels, counts = isotonic(log_odds, labels)
        shares, step = np.unique(levels, return_inverse=True)
        centres = np.bincount(step, points * counts) / np.bincount(step, counts)
        # however many samples agree, the next one may not
        least = 1 / (count + 2)
        inside = np.clip(shares, least, 1 - least)
        return cls(
            log_odds=tuple(centres.tolist()),
            shares=tuple(inside.tolist()),
            samples=count,
            offset=offset,
        )

    def shares_of(self, log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
        """Share of yes among samples made as those of the fit, drawn negatives included."""
        found: NDArray[np.float64] = expit(self._calibrated(log_odds))
        return found

    def probabilities_of(self, log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probability of a yes among all pairs that the shop could have shown.

        It differs from the share where negatives were drawn: most of them were not.
        """
        found: NDArray[np.float64] = expit(self._calibrated(log_odds) + self.offset)
        return found

    def _calibrated(self, log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log-odds of the share."""
        levels = logit(self.shares)
        first, last = self.log_odds[0], self.log_odds[-1]
        slope = (levels[-1] - levels[0]) / (last - first) if last > first else 0.0
        beyond = log_odds - np.clip(log_odds, first, last)
        found = np.interp(log_odds, self.log_odds, levels) + slope * beyond
        inside: NDArray[np.float64] = np.clip(found, -_MOST, _MOST)
        return inside


def isotonic(
    scores: NDArray[np.float64], labels: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """The rising step function nearest to the labels, by pool adjacent violators.

    Args:
        scores: score of each sample, shape (N,), N >= 1.
        labels: number that the function is to give for each sample, shape (N,).

    Returns:
        The P different scores, rising; the level of the function at each; and the number of
        samples with each score; shape (P,) all three.

    Example:
        >>> points, levels, counts = isotonic(np.array([1.0, 2, 3, 4]), np.array([0, 1, 0, 1]))
        >>> levels.tolist()
        [0.0, 0.5, 0.5, 1.0]

    Source:
        Zadrozny and Elkan, Transforming classifier scores into probability estimates, KDD 2002,
        https://doi.org/10.1145/775047.775151.
    """
    points, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    weights = counts.astype(np.float64)
    levels = isotonic_regression(np.bincount(place, labels) / weights, weights=weights).x
    return points, levels, weights
