"""What evidence reads and gives: `Known`, `Trusted`, and the contract of a part.

A part says of each class how well it fits each sample. Its doubt is how much better the best other
class fits than the given label. A part is a pure function of columns: it needs neither a model nor
the store, and keeps nothing between two judgements. It is rebuilt by reading the columns again.
"""

from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Fixed",
    "Floats",
    "Known",
    "Part",
    "Reading",
    "Trusted",
    "doubt_of",
    "finite",
    "standardised",
]

Floats = NDArray[np.float64]

_FARTHEST: Final = 8.0  # standard deviations at which a standardised number is cut
_LARGEST: Final = 1e30  # number beyond which a column is cut


@dataclass(frozen=True)
class Known:
    """Columns of N samples whose labels are weighed. A column that is not known is None.

    Numbers that are not finite are replaced when the columns are taken in.

    Attributes:
        label: given label of each sample, shape (N,), int in [0, classes).
        classes: number of classes C, at least 2.
        scores: what the newest version says of each class, shape (N, C), such as
            log-probabilities; the versions of different samples must be on one scale.
        margin: running margin of the given label over the best other class, with a short memory,
            shape (N,), on one scale.
        features: numbers about the sample that no label went into, such as overlaps of words or
            behaviour features, shape (N, F).
        representation: pooled output of a version, shape (N, D), any float type.
        source: number of the source or slice of each sample, shape (N,), int >= 0; trusted samples
            tell how often the labels of each source are wrong.
        question: number of the question of each sample, shape (N,), int; samples of one question
            are alike, so that they count for less than as many of different ones.
    """

    label: NDArray[np.int64]
    classes: int = 2
    scores: Floats | None = None
    margin: Floats | None = None
    features: Floats | None = None
    representation: NDArray[Any] | None = None
    source: NDArray[np.int64] | None = None
    question: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        samples = len(self.label)
        for name in ("scores", "margin", "features", "representation", "source", "question"):
            column = getattr(self, name)
            if column is None:
                continue
            if len(column) != samples:
                msg = f"{name} must hold the {samples} samples of label; got {len(column)}"
                raise ValueError(msg)
            object.__setattr__(self, name, finite(column))
        if self.scores is not None and self.scores.shape != (samples, self.classes):
            msg = f"scores must have shape {(samples, self.classes)}; got {self.scores.shape}"
            raise ValueError(msg)
        if samples and not 0 <= self.label.min() <= self.label.max() < self.classes:
            msg = f"labels must lie in [0, {self.classes}); got {np.unique(self.label).tolist()}"
            raise ValueError(msg)

    def __len__(self) -> int:
        return len(self.label)


@dataclass(frozen=True)
class Trusted:
    """True labels of some of the samples.

    Attributes:
        rows: rows of the trusted samples, shape (T,), distinct.
        truth: their true labels, shape (T,), int.
    """

    rows: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    truth: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    def __len__(self) -> int:
        return len(self.rows)

    def only(self, places: NDArray[Any]) -> "Trusted":
        """The trusted samples at some places of `rows`, or under a mask of them."""
        return Trusted(self.rows[places], self.truth[places])

    def joined(self, more: "Trusted") -> "Trusted":
        """These samples and some more, none of which is among them."""
        return Trusted(
            np.concatenate([self.rows, more.rows]), np.concatenate([self.truth, more.truth])
        )

    def folds(self, count: int, seed: int | tuple[int, ...]) -> NDArray[np.int64]:
        """A fold for each trusted sample, shape (T,), int in [0, count), balanced by true label.

        Args:
            count: number of folds.
            seed: seed of the random order within each true label.
        """
        random = np.random.default_rng(seed)
        order = np.lexsort((random.random(len(self)), self.truth))
        fold = np.empty(len(self), np.int64)
        fold[order] = np.arange(len(self)) % count
        return fold


class Reading(Protocol):
    """What a part has read of the columns; it can be asked again with other trusted samples."""

    def fits(self, trusted: Trusted, rows: NDArray[np.int64]) -> Floats:
        """How well each class fits some samples, higher is better.

        Args:
            trusted: samples whose true labels the part may learn from; a part that does not learn
                ignores them.
            rows: rows of the samples that are asked for, shape (B,). A part never takes a trusted
                sample for its own neighbour, but apart from that it does not hide the label of a
                sample that is both trusted and asked for: ask for samples that were left out.

        Returns:
            The fits, shape (B, C), finite. They are of the size of log-probabilities, up to a
            number for each sample. The same arguments give the same fits.
        """
        ...


class Part(Protocol):
    """One kind of evidence."""

    @property
    def name(self) -> str:
        """Name of the part in tables and answers."""
        ...

    @property
    def learns(self) -> bool:
        """Whether the part learns from trusted samples, and says nothing without any."""
        ...

    def read(self, known: Known) -> Reading | None:
        """Read the columns; None if a column that the part needs is not known.

        Given labels may be read, true labels never are. All the work that does not depend on
        trusted samples is done here, once.
        """
        ...


@dataclass(frozen=True)
class Fixed:
    """The reading of a part that does not learn.

    Attributes:
        values: how well each class fits each sample, shape (N, C).
    """

    values: Floats

    def fits(self, trusted: Trusted, rows: NDArray[np.int64]) -> Floats:  # noqa: ARG002 (contract)
        """How well each class fits some samples, shape (B, C)."""
        return np.asarray(self.values[rows])


def doubt_of(fits: Floats, label: NDArray[np.int64]) -> Floats:
    """How much better the best other class fits than the given label, shape (N,).

    Example:
        >>> doubt_of(np.array([[0.0, 2.0, 1.0], [0.0, 2.0, 1.0]]), np.array([0, 1]))
        array([ 2., -1.])
    """
    rows = np.arange(len(label))
    others = fits.astype(np.float64)
    others[rows, label] = -np.inf
    return np.asarray(others.max(axis=1, initial=-np.inf) - fits[rows, label])


def finite(column: NDArray[Any]) -> NDArray[Any]:
    """A column with NaN replaced by 0, and infinities by the largest finite numbers there.

    Finite numbers beyond 1e30 are treated like infinities, so that all squares are finite.

    Example:
        >>> finite(np.array([1.0, np.nan, np.inf, -np.inf, -3.0]))
        array([ 1.,  0.,  1., -3., -3.])
    """
    if column.dtype.kind != "f":
        return column
    largest = column.dtype.type(min(_LARGEST, float(np.finfo(column.dtype).max)))
    good = np.abs(column) <= largest  # False for NaN
    if good.all():
        return column
    kept = column[good]
    low, high = (kept.min(), kept.max()) if len(kept) else (0.0, 0.0)
    return np.asarray(np.clip(np.nan_to_num(column, nan=0.0, posinf=high, neginf=low), low, high))


def standardised(columns: NDArray[Any]) -> Floats:
    """Columns with mean 0 and standard deviation 1, cut at 8 deviations; constant ones are 0.

    Args:
        columns: numbers of N samples, shape (N, F).

    Example:
        >>> standardised(np.array([[1.0, 5.0], [3.0, 5.0]]))
        array([[-1.,  0.],
               [ 1.,  0.]])
    """
    largest = np.abs(columns).max(axis=0, initial=0).astype(np.float64)
    # subtle: the square of a huge number overflows, so each column is brought to [-1, 1] first
    small = columns / np.where(largest > 0, largest, 1)
    small = small - small.mean(axis=0) if len(small) else small
    spread = small.std(axis=0) if len(small) else np.ones(columns.shape[1])
    usual = np.where(spread > 1e-9, spread, np.inf)
    return np.asarray(np.clip(small / usual, -_FARTHEST, _FARTHEST))
