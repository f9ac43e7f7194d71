"""Doubt without trusted samples: the best of what needs none.

Nothing tells which part finds wrong labels here, but it can be told which parts know something of
the labels at all. A part that hardly agrees with them has not seen what they depend on, and its
doubt is noise.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from mainstem.evidence.contract import Floats, doubt_of

__all__ = ["agreement", "unaided"]

_NEARLY: Final = 0.8  # of the best agreement, above which a part knows as much as the others
# measured on human label noise: the first two together are the best, and a version's own view is
# the worst, because it has learnt the wrong labels
_IN_ORDER: Final = (("neighbours", "class means"), ("score",), ("margin",))


def unaided(fits: Mapping[str, Floats], label: NDArray[np.int64]) -> tuple[Floats, str]:
    """Doubt of each sample, and the names of the parts that it comes from.

    Neighbours and class means decide, by the mean of their ranks, as far as they agree with the
    labels nearly as well as any part does; then the newest score; then the running margin.

    Args:
        fits: how well each class fits each sample, shape (N, C), by the name of the part; only of
            parts that do not learn.
        label: given label of each sample, shape (N,).

    Returns:
        Doubts, shape (N,), as ranks in (0, 1], and the names, such as `neighbours + class means`;
        zeros and `nothing` if no part says anything.
    """
    skill = {name: agreement(its, label) for name, its in fits.items() if name != "margin"}
    best = max(skill.values(), default=0.0)
    for names in _IN_ORDER:
        able = [name for name in names if name in fits and _able(skill.get(name), best)]
        if able:
            ranks = [rankdata(doubt_of(fits[name], label)) for name in able]
            return np.mean(ranks, axis=0) / max(len(label), 1), " + ".join(able)
    return np.zeros(len(label)), "nothing"


def agreement(fits: Floats, label: NDArray[np.int64]) -> float:
    """How well a part tells the samples of each label from the others, from 0 to about 1.

    It is 2 AUROC - 1 of the fit of a label against the best other class, averaged over the labels.

    Example:
        >>> agreement(np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 2.0]]), np.array([0, 1, 1]))
        1.0
    """
    found = []
    for one in np.unique(label):
        its = label == one
        if its.all():
            continue
        ranks = rankdata(-doubt_of(fits, np.full(len(label), one)))
        inside, outside = its.sum(), (~its).sum()
        area = (ranks[its].sum() - inside * (inside + 1) / 2) / (inside * outside)
        found.append(2 * area - 1)
    return float(max(np.mean(found), 0.0)) if found else 0.0


def _able(skill: float | None, best: float) -> bool:
    """Whether a part knows nearly as much as the best; the margin, which is last, always does."""
    return skill is None or skill >= _NEARLY * best
