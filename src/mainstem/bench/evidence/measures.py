"""How well doubt finds wrong labels, and what became of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mainstem.learning.evaluation import auc
from mainstem.standing import CORE, EDGE

__all__ = ["Judged", "average_precision", "hard_among_sound", "measures_of"]

_HARD: Final = 0.2  # of the sound samples


@dataclass(frozen=True)
class Judged:
    """What one kind of evidence says of N samples.

    Attributes:
        doubt: how doubtful each label is, shape (N,); higher is more doubtful.
        called: which samples are called contradictory, shape (N,).
        standing: index of each sample's standing in `STANDINGS`, shape (N,); None where it gives
            none.
    """

    doubt: NDArray[np.float64]
    called: NDArray[np.bool_]
    standing: NDArray[np.int8] | None = None


def measures_of(
    judged: Judged,
    label: NDArray[np.int64],
    truth: NDArray[np.int64],
    hard: NDArray[np.bool_],
    among: NDArray[np.bool_],
) -> dict[str, Any]:
    """Measure what one kind of evidence says.

    Args:
        judged: what it says of N samples.
        label: label in the log, shape (N,).
        truth: true label, shape (N,).
        hard: which sound samples are hard, shape (N,).
        among: which samples are measured, shape (N,); trusted ones are not.

    Returns:
        `auroc` and `ap`, how well doubt ranks wrong labels above sound ones; `auroc_within`, the
        same within each label of the log; `auroc_hard`, against hard sound samples alone;
        `called`, the number of samples called contradictory; `found`, the share of the wrong ones
        that were called; `false`, the share of the called that are sound; `core`, the share of the
        samples in core; `core_wrong`, `edge_wrong` and `all_wrong`, the share of wrong labels
        there. Each is None where it is not defined.
    """
    wrong, doubt, called = (label != truth)[among], judged.doubt[among], judged.called[among]
    against, given = wrong | hard[among], label[among]
    return {
        "auroc": _auc(wrong, doubt),
        "ap": average_precision(wrong, doubt),
        "auroc_within": _within(wrong, doubt, given),
        "auroc_hard": _auc(wrong[against], doubt[against]),
        "called": int(called.sum()),
        "found": _share(called, wrong),
        "false": _share(~wrong, called),
        **_standings(wrong, None if judged.standing is None else judged.standing[among]),
        "all_wrong": float(wrong.mean()) if len(wrong) else None,
    }


def average_precision(wrong: NDArray[np.bool_], doubt: NDArray[np.float64]) -> float | None:
    """Mean precision at the places of the wrong samples, ordered by doubt; None without any.

    Equal doubts count as one place.

    Example:
        >>> average_precision(np.array([True, False, True]), np.array([3.0, 2.0, 1.0]))
        0.8333333333333333
    """
    if not wrong.any():
        return None
    order = np.argsort(-doubt, kind="stable")
    ordered, hits = doubt[order], np.cumsum(wrong[order])
    last = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)
    gained = np.diff(hits[last], prepend=0)
    return float((gained * hits[last] / (last + 1)).sum() / wrong.sum())


def hard_among_sound(
    right: NDArray[np.float64], label: NDArray[np.int64], truth: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Which samples have a right label, but are hard.

    Args:
        right: probability that a model of the true labels gives the true label of each sample,
            shape (N,).
        label: label in the log, shape (N,).
        truth: true label, shape (N,).

    Returns:
        The fifth of the sound samples with the lowest probabilities, shape (N,).

    Example:
        >>> right, label = np.array([0.1, 0.2, 0.9, 0.8]), np.array([1, 0, 0, 0])
        >>> hard_among_sound(right, label, np.zeros(4, np.int64))
        array([False,  True, False, False])
    """
    sound = np.asarray(label == truth)
    if not sound.any():
        return sound
    return np.asarray(
        sound & (right <= np.sort(right[sound])[max(int(_HARD * sound.sum()), 1) - 1])
    )


def _within(
    wrong: NDArray[np.bool_], doubt: NDArray[np.float64], given: NDArray[np.int64]
) -> Mapping[str, float | None]:
    return {
        str(one): _auc(wrong[given == one], doubt[given == one])
        for one in np.unique(given).tolist()
    }


def _standings(
    wrong: NDArray[np.bool_], standing: NDArray[np.int8] | None
) -> dict[str, float | None]:
    if standing is None or not len(standing):
        return dict.fromkeys(("core", "core_wrong", "edge_wrong"))
    core, edge = standing == CORE, standing == EDGE
    return {
        "core": float(core.mean()),
        "core_wrong": _share(wrong, core),
        "edge_wrong": _share(wrong, edge),
    }


def _auc(wrong: NDArray[np.bool_], doubt: NDArray[np.float64]) -> float | None:
    return auc(wrong.astype(np.int64), doubt)


def _share(which: NDArray[np.bool_], of: NDArray[np.bool_]) -> float | None:
    return float(which[of].mean()) if of.any() else None
