"""What is told of a replay beside its cost: wrong labels that it found, coverage, rare slices."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mainstem.bench.cost.chooser import wrong_of
from mainstem.bench.cost.material import Material
from mainstem.bench.cost.quality import quality_of
from mainstem.bench.evidence.measures import average_precision
from mainstem.learning.draws.floors import query_buckets
from mainstem.learning.evaluation.metrics import auc

__all__ = ["Coverage", "of_called", "of_doubt", "worst_slice"]

_Offsets = NDArray[np.int64]


class Coverage:
    """How much of what could be drawn was reached.

    Args:
        material: the samples, whose offsets are their places.
    """

    def __init__(self, material: Material) -> None:
        samples = material.samples
        self._category = np.array([one.category for one in samples], np.str_)
        asked = np.array([one.query for one in samples], np.str_)
        number = np.unique(asked, return_inverse=True)[1].astype(np.uint64) + np.uint64(1)
        self._query = np.where(asked == "", np.uint64(0), number)
        self._shares: list[float] = []

    @property
    def mean(self) -> float | None:
        """The mean over the rounds; None before the first."""
        return float(np.mean(self._shares)) if self._shares else None

    def count(self, candidates: _Offsets, drawn: _Offsets) -> None:
        """Count a round: the share of categories and query buckets of which it drew a sample.

        Args:
            candidates: offsets of the samples that it could have drawn.
            drawn: offsets of the samples that it drew, which are among them.
        """
        bucket = np.full(len(self._query), -1)
        known = np.ones(len(candidates), np.bool_)
        bucket[candidates] = query_buckets(self._query[candidates], known)
        reached = there = 0
        for names in (self._category, bucket):
            of_all, of_drawn = set(names[candidates].tolist()), set(names[drawn].tolist())
            there += len(of_all - {""})
            reached += len((of_all & of_drawn) - {""})
        if there:
            self._shares.append(reached / there)


def worst_slice(
    truth: NDArray[np.int64], scores: NDArray[np.float64], slices: NDArray[np.bool_]
) -> float | None:
    """The least quality over slices of M samples, shape (S, M); None if no slice has two labels.

    Example:
        >>> truth, scores = np.array([0, 1, 0, 1]), np.array([0.1, 0.9, 0.8, 0.2])
        >>> worst_slice(truth, scores, np.array([[True, True, False, False], [True] * 4]))
        0.75
    """
    found = [quality_of(truth[one], scores[one]) for one in slices]
    return min((one for one in found if one is not None), default=None)


def of_doubt(
    material: Material, doubt: tuple[_Offsets, NDArray[np.float64]] | None
) -> dict[str, Any]:
    """How well doubt ranks wrong labels above right ones: `auroc` and `ap`.

    Args:
        material: the samples.
        doubt: offsets of samples, and how much the label of each is doubted, NaN where that is not
            known; None where nothing doubts. Samples that somebody confirmed do not count.
    """
    if doubt is None:
        return {"auroc": None, "ap": None}
    offset, values = doubt
    kept = _untrusted(material)[offset] & ~np.isnan(values)
    wrong = wrong_of(material)[offset[kept]]
    return {
        "auroc": auc(wrong.astype(np.int64), values[kept]),
        "ap": average_precision(wrong, values[kept]),
    }


def of_called(
    material: Material, called: tuple[_Offsets, NDArray[np.bool_]] | None
) -> dict[str, Any]:
    """How many of the labels that were called wrong are, and how many of the wrong were called.

    Args:
        material: the samples.
        called: offsets of samples, and whether the label of each was called wrong; None where
            nothing calls any. Samples that somebody confirmed do not count.

    Returns:
        `precision`, `recall` and `f1`; each None where it is not defined.
    """
    if called is None:
        return dict.fromkeys(("precision", "recall", "f1"))
    offset, said = called
    kept = _untrusted(material)[offset]
    wrong, said = wrong_of(material)[offset[kept]], said[kept]
    right, many = int((wrong & said).sum()), int(wrong.sum() + said.sum())
    return {
        "precision": right / int(said.sum()) if said.any() else None,
        "recall": right / int(wrong.sum()) if wrong.any() else None,
        "f1": 2 * right / many if many else None,
    }


def _untrusted(material: Material) -> NDArray[np.bool_]:
    """Samples of the stream that nobody confirmed, by their offset."""
    trust, placed = material.trust, material.placed
    return np.array(
        [one.part == "stream" and not trust.is_confirmed(one.sample_id) for one in placed],
        np.bool_,
    )
