"""Which samples a pass takes, by what the pass before found: all hard ones, and some easy ones.

A training step computes the loss of each of its samples anyway, so that this choice costs nothing.
A sample whose last loss is below the mean is easy: the model knows it already, and it moves the
weights little. A share of the easy ones is taken, at random anew for each pass, and each of these
counts the more, so that the sum of the losses is in the mean that of all samples: no label is
believed more than another, and a model that trains on wrong labels does not take to them.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["expected_share", "kept_places"]

_EASY: Final = 2 / 3  # about the share of losses that lie below their mean


def kept_places(
    losses: NDArray[np.float32], share: float, random: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Choose what a pass takes.

    Args:
        losses: loss of each sample when it was last trained on, shape (N,); NaN for a sample that
            was not, which is taken.
        share: share of the easy samples that the pass takes, above 0.
        random: where the choice comes from.

    Returns:
        Places of the samples that are taken, in order; and by how much the loss of each sample is
        to be multiplied, shape (N,): 1 / share for an easy one, else 1.

    Example:
        >>> losses = np.array([0.1, 0.2, 3.0, np.nan], np.float32)
        >>> places, times = kept_places(losses, 0.25, np.random.default_rng(0))
        >>> times.tolist()
        [4.0, 4.0, 1.0, 1.0]
        >>> set(places.tolist()) >= {2, 3}
        True

    Source:
        Qin et al., InfoBatch: Lossless Training Speed Up by Unbiased Dynamic Data Pruning,
        ICLR 2024, section 2.2.
    """
    known = np.isfinite(losses)
    is_easy = known & (losses < losses[known].mean()) if known.any() else known
    is_taken = ~is_easy | (random.random(len(losses)) < share)
    times = np.where(is_easy, 1 / share, 1.0).astype(np.float32)
    return np.flatnonzero(is_taken), times


def expected_share(share: float) -> float:
    """About the share of all samples that a pass takes which takes a share of the easy ones.

    Example:
        >>> expected_share(1.0), expected_share(0.25)
        (1.0, 0.5)
    """
    return 1 - _EASY * (1 - share)
