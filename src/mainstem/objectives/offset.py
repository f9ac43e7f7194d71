"""What drawn negatives do to the log-odds of yes, for the calibration of a version."""

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["log_odds_offset"]


def log_odds_offset(
    sampling_probability: NDArray[np.float64], target: NDArray[np.float64]
) -> float:
    """What to add to a logit that was learnt from drawn negatives, to get the log-odds of the shop.

    Suppose each pair with answer y was kept with probability s_y. By Bayes

        P(y=1 | x, kept) / P(y=0 | x, kept) = P(y=1 | x) / P(y=0 | x) * s_1 / s_0,

    so the logit of the shop is the learnt logit + log(s_0 / s_1). A drawn negative was kept with
    its `sampling_probability`, about 1 / number of known items; a purchase and an item that was
    shown are always kept. The samples with answer y stand for sum 1 / p pairs, so s_y is estimated
    as their number over that sum, and a target in [0, 1] counts in part for yes and in part for no.

    The offset changes no order. It belongs into a calibration alone: as weights 1 / p the negatives
    of a small log would count a thousand times what its purchases do.

    Args:
        sampling_probability: probability with which each sample was kept, shape (N,), in (0, 1].
        target: target of each sample, shape (N,); samples whose target is unknown (negative) do
            not count.

    Returns:
        The offset in nats, at most 0 where only negatives were drawn; 0 where one answer does not
        occur.

    Raises:
        ValueError: if the two differ in length or a probability is not in (0, 1].

    Example:
        >>> kept = np.array([1.0, 0.001, 1.0, 0.001])
        >>> round(log_odds_offset(kept, np.array([1.0, 0.0, 1.0, 0.0])), 4)
        -6.9078

    Source:
        King and Zeng, Logistic Regression in Rare Events Data, Political Analysis 2001, section
        4.1 (prior correction).
    """
    if len(sampling_probability) != len(target):
        msg = (
            "sampling_probability and target must hold the same samples; "
            f"got {len(sampling_probability)} and {len(target)}"
        )
        raise ValueError(msg)
    if not ((sampling_probability > 0) & (sampling_probability <= 1)).all():
        msg = "a sampling probability is above 0 and at most 1; got others"
        raise ValueError(msg)
    known = target >= 0
    kept, yes = sampling_probability[known], target[known]
    rates = []
    for share in (1 - yes, yes):
        pairs = math.fsum(share / kept)
        if not pairs:
            return 0.0
        rates.append(math.fsum(share) / pairs)
    return math.log(rates[0] / rates[1])
