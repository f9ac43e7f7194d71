"""Rankings by counting: popularity, and logistic regression on the behaviour features.

Whoever has the features can rank so without a network. A version that does not rank better than
these is not worth its passes, and is said to be so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mainstem.behaviour import FEATURE_NAMES
from mainstem.join import PlacedSample
from mainstem.learning.evaluation.metrics import auc
from mainstem.logistic import Logistic

__all__ = ["Counted", "Counting"]

_POPULAR: Final = ("item_purchased_90", "item_clicked_90")


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


def _auc(
    labels: NDArray[np.int64], scores: NDArray[np.float64] | None, held: NDArray[np.bool_]
) -> float | None:
    return None if scores is None else auc(labels[held], scores[held])
