"""Examples: what a model reads of samples, and what it should answer, column by column."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["Examples"]


@dataclass(frozen=True)
class Examples:
    """What a model reads of N samples, and what it should answer.

    Attributes:
        pairs: context and item of each sample.
        labels: class of each sample, shape (N,), int64.
        targets: target of each of J objectives, shape (N, J), float32.
        weights: factor of each sample's loss, shape (N,), float32.
        features: behaviour features, shape (N, F), float32, in the order of the model's manifest;
            a row of zeros where they are unknown. None if no sample has any.
        positions: position at which each sample was shown, from 1, shape (N,), int64; 0 where it
            is unknown.
        questions: number of the question of each sample, shape (N,), int64: samples of one
            question have the same number. None if the questions are unknown.
    """

    pairs: Sequence[tuple[str, str]]
    labels: NDArray[np.int64]
    targets: NDArray[np.float32]
    weights: NDArray[np.float32]
    features: NDArray[np.float32] | None
    positions: NDArray[np.int64]
    questions: NDArray[np.int64] | None = None

    @classmethod
    def of(
        cls,
        pairs: Sequence[tuple[str, str]],
        labels: Sequence[int] | None = None,
        weights: Sequence[float] | None = None,
        *,
        targets: Sequence[Sequence[float]] | None = None,
        features: Sequence[Sequence[float]] | None = None,
        positions: Sequence[int] | None = None,
        questions: Sequence[int] | None = None,
    ) -> Self:
        """Put columns together; those that are not given take their defaults.

        Args:
            pairs: context and item of each of N samples.
            labels: class of each sample; 0 by default.
            weights: factor of each sample's loss; 1 by default.
            targets: target of each objective, one row for each sample; the label by default.
            features: features of each sample; an empty row means that they are unknown.
            positions: position of each sample in its impression; 0, unknown, by default.
            questions: number of the question of each sample; unknown by default.

        Raises:
            ValueError: if the columns do not hold the same number of samples, or two samples have
                different numbers of features.

        Example:
            >>> found = Examples.of([("red", "cup"), ("", "tea")], [1, 0], features=[[0.5], []])
            >>> found.features.tolist(), found.weights.tolist(), found.targets.tolist()
            ([[0.5], [0.0]], [1.0, 1.0], [[1.0], [0.0]])
        """
        count = len(pairs)
        classes = np.array([0] * count if labels is None else labels, np.int64)
        of_labels = classes[:, None].astype(np.float32)
        given = np.array(targets, np.float32) if targets else of_labels
        found = cls(
            pairs=pairs,
            labels=classes,
            targets=given,
            weights=np.array([1.0] * count if weights is None else weights, np.float32),
            features=None if features is None else _rows(features),
            positions=np.array([0] * count if positions is None else positions, np.int64),
            questions=None if questions is None else np.array(questions, np.int64),
        )
        found._check()
        return found

    def __len__(self) -> int:
        """The number of samples, N."""
        return len(self.pairs)

    def _check(self) -> None:
        columns = ("labels", "targets", "weights", "features", "positions", "questions")
        for name in columns:
            column = getattr(self, name)
            if column is not None and len(column) != len(self.pairs):
                msg = f"there must be as many {name} as pairs; got {len(column)} for {len(self)}"
                raise ValueError(msg)


def _rows(features: Sequence[Sequence[float]]) -> NDArray[np.float32] | None:
    """One row for each sample, zeros where it has no features; None if none has any."""
    widths = {len(row) for row in features} - {0}
    if not widths:
        return None
    if len(widths) > 1:
        msg = f"all samples have the same features; got rows of {sorted(widths)} numbers"
        raise ValueError(msg)
    (width,) = widths
    found = np.zeros((len(features), width), np.float32)
    known = [place for place, row in enumerate(features) if len(row)]
    found[known] = [features[place] for place in known]
    return found
