"""One visit of each of some samples, as estimators read it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mainstem.importance import Visits

__all__ = ["Floats", "Visit"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Visit:
    """One visit of each of B samples by one version.

    A figure that a visit does not hold is NaN. What is infinite counts as not held.

    Attributes:
        label: label of each sample, shape (B,), int in [0, classes).
        classes: number of classes C.
        norm: norm over the version's scale, shape (B,).
        margin: logit of the label less the best other one, shape (B,).
        loss: loss, shape (B,).
        alignment: cosine with the trusted gradient, shape (B,); only full visits have one.
        logits: logits of all classes, shape (B, C); NaN where they are not known.

    Example:
        >>> one = Visit(np.array([1]), 2, *np.ones((4, 1)), np.full((1, 2), np.nan))
        >>> one.probabilities.round(2)
        array([[0.27, 0.73]])
    """

    label: NDArray[np.int64]
    classes: int
    norm: Floats
    margin: Floats
    loss: Floats
    alignment: Floats
    logits: Floats

    @classmethod
    def of(cls, visits: Visits, places: NDArray[np.int64], label: Any, classes: int) -> Self:
        """Take some visits out of many.

        Args:
            visits: visits by one version.
            places: places of those that are wanted, shape (B,).
            label: label of each of those samples, shape (B,).
            classes: number of classes.
        """
        numbers = visits.numbers()[places].T
        logits = np.full((len(places), classes), np.nan)
        if visits.logits is not None and visits.logits.shape[1] >= classes:
            # the label is that of the first objective, whose logits come first
            logits = np.asarray(visits.logits, np.float64)[places, :classes]
        norm, margin, loss = map(_known, numbers)
        alignment = _known(visits.alignments()[places].astype(np.float64))
        label = np.asarray(label, np.int64)
        return cls(label, classes, norm, margin, loss, alignment, _known(logits))

    @cached_property
    def probabilities(self) -> Floats:
        """What the version gives to each class, shape (B, C); a row of NaN where it is not known.

        With two classes the margin says it. With more the logits do, which a visit holds for models
        of at most eight logits.
        """
        if self.classes > 2:
            raised = np.exp(self.logits - self.logits.max(axis=1, keepdims=True))
            return np.asarray(raised / raised.sum(axis=1, keepdims=True))
        own = 1 / (1 + np.exp(-np.clip(self.margin, -500, 500)))
        return np.where(self._is_label, own[:, None], (1 - own)[:, None])

    @property
    def own(self) -> Floats:
        """The probability of the label, shape (B,)."""
        return np.asarray(self.probabilities[np.arange(len(self.label)), self.label])

    @property
    def best_other(self) -> Floats:
        """The largest probability of another class than the label, shape (B,)."""
        return np.asarray(np.where(self._is_label, -np.inf, self.probabilities).max(axis=1))

    @property
    def _is_label(self) -> NDArray[np.bool_]:
        return np.asarray(np.arange(self.classes) == self.label[:, None])


def _known(figures: Floats) -> Floats:
    return np.where(np.isfinite(figures), figures, np.nan)
