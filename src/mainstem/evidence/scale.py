"""Numbers of different versions on one scale, by their ranks among canaries."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from mainstem.evidence.contract import Floats, finite

__all__ = ["on_one_scale", "what_is_left"]

_TELL: Final = 30  # canaries from which on a correlation tells something


def on_one_scale(
    values: Floats, version: NDArray[np.int64], canaries: Mapping[int, Floats]
) -> Floats:
    """Numbers of samples as normal scores among the canaries of the same version.

    What two versions say is not comparable: one is firm about everything, one knows nothing yet.
    But each of them scored canaries, and how many of those a sample exceeds means the same under
    both. The canaries must be of all labels, and the number must not depend on the given label,
    such as the log-odds of yes; for a margin, call it for the samples of each label apart.

    Args:
        values: a number about each sample by the version that scored it last, shape (N,).
        version: number of that version, shape (N,).
        canaries: the same number about canaries, by version, at least 2 each; their number may
            differ from version to version.

    Returns:
        Normal scores, shape (N,); 0 is the median canary of the version. NaN for samples of
        versions with fewer than 2 canaries.

    Example:
        >>> canaries = {1: np.array([0.0, 1.0, 2.0]), 2: np.array([0.0, 10.0, 20.0])}
        >>> on_one_scale(np.array([1.0, 10.0, 5.0]), np.array([1, 2, 2]), canaries).round(2)
        array([ 0.  ,  0.  , -0.43])
    """
    scores = np.full(len(values), np.nan)
    tidy = finite(values)
    for one in np.unique(version):
        known = np.unique(finite(canaries.get(int(one), np.zeros(0))))
        every = np.sort(finite(canaries.get(int(one), np.zeros(0))))
        if len(every) < 2:
            continue
        here = version == one
        # the middle of the ranks of equal canaries; between two canaries the rank is interpolated
        left, right = np.searchsorted(every, known), np.searchsorted(every, known, side="right")
        middle = (left + right) / 2 / len(every)  # in (0, 1)
        scores[here] = ndtri(np.interp(tidy[here], known, middle))
    return scores


def what_is_left(before: Floats, now: Floats, group: NDArray[np.int64] | None = None) -> float:
    """How much of a normal score under an earlier version is expected under a later one.

    Evidence learns from trusted samples, which the newest version scores again. Of other samples
    only an earlier version may have said something, and the first one knew nothing. Times this
    number, its normal scores are those that the newest version is expected to give; so what an
    earlier version said counts for as much as it has held true of the canaries.

    Args:
        before: numbers about M canaries by the earlier version, shape (M,).
        now: numbers about the same canaries by the later version, shape (M,).
        group: number of the group of each canary, shape (M,), where samples are placed among the
            canaries of their group alone, as margins are by label; None if they all are one group.

    Returns:
        The correlation of their normal scores, in [0, 1]; 1 with fewer than 30 canaries, which
        cannot tell.

    Example:
        >>> random = np.random.default_rng(0)
        >>> same, other = random.normal(size=(2, 1000))
        >>> round(what_is_left(same, 2 * same + 1), 2), what_is_left(same, other) < 0.1
        (1.0, True)
    """
    own = np.zeros(len(before), np.int64) if group is None else group
    scores = np.array(
        [
            on_one_scale(one, own, {int(at): one[own == at] for at in np.unique(own)})
            for one in (before, now)
        ]
    )
    scores = scores[:, np.isfinite(scores).all(axis=0)]  # without canaries alone in their group
    if scores.shape[1] < _TELL:
        return 1.0
    if scores.std(axis=1).min() == 0:
        return 0.0
    return float(np.clip(np.corrcoef(scores)[0, 1], 0, 1))
