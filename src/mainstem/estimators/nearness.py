"""Similarity and density, in the space of sketches and in that of representations."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mainstem.estimators.contract import FORWARD, FULL, State
from mainstem.estimators.visit import Floats, Visit
from mainstem.importance import mixed

__all__ = ["Density", "DensityOfRepresentation", "Similarity", "SimilarityOfRepresentation"]

_NONE: Final[Mapping[str, Any]] = {}
_LANDMARKS: Final = 2000  # rows that each row is compared with: cost grows with N, not its square
_NEAREST: Final = 10
_CHUNK: Final = 2048


class Similarity:
    """How alike a response is to the others of its label.

    value = cosine of the mean sketch with the mean direction of the sketches of its label. The
    response of a wrong label points elsewhere.

    Source:
        Welling, Herding Dynamical Weights to Learn, ICML 2009,
        https://doi.org/10.1145/1553374.1553517 (nearness to the class mean).
    """

    name, says, reads, needs, columns = "similarity", "sound", "sketch", FULL, _NONE

    def visit(self, state: State, visit: Visit) -> None:
        """Nothing: the rows keep the mean sketch."""

    def value(self, state: State) -> Floats:
        """The cosines, shape (N,)."""
        return similarity_of(_sketches(state), state["label"])


class Density:
    """How near the nearest responses are.

    value = minus the mean distance of its mean sketch, as a direction, to the 10 nearest of at most
    2,000 rows, which a hash of their ids chooses.

    Source:
        Sener and Savarese, Active Learning for Convolutional Neural Networks: A Core-Set Approach,
        ICLR 2018, https://arxiv.org/abs/1708.00489 (which covers the sparse first).
    """

    name, says, reads, needs, columns = "density", "sound", "sketch", FULL, _NONE

    def visit(self, state: State, visit: Visit) -> None:
        """Nothing: the rows keep the mean sketch."""

    def value(self, state: State) -> Floats:
        """Minus the distances, shape (N,)."""
        return density_of(_sketches(state), _order(state))


class SimilarityOfRepresentation:
    """`Similarity` of what the head of one version read of the samples, where that is kept.

    Source:
        As `Similarity`.
    """

    name, says, reads = "similarity_of_representation", "sound", "representation"
    needs: str = FORWARD
    columns: Mapping[str, Any] = _NONE

    def visit(self, state: State, visit: Visit) -> None:
        """Nothing: the history keeps representations."""

    def value(self, state: State) -> Floats:
        """The cosines, shape (N,)."""
        return similarity_of(_representations(state), state["label"])


class DensityOfRepresentation:
    """`Density` of what the head of one version read of the samples, where that is kept.

    Source:
        As `Density`.
    """

    name, says, reads = "density_of_representation", "sound", "representation"
    needs: str = FORWARD
    columns: Mapping[str, Any] = _NONE

    def visit(self, state: State, visit: Visit) -> None:
        """Nothing: the history keeps representations."""

    def value(self, state: State) -> Floats:
        """Minus the distances, shape (N,)."""
        return density_of(_representations(state), _order(state))


def similarity_of(points: Floats, label: NDArray[Any]) -> Floats:
    """The cosine of each point with the mean direction of its label; NaN where it has none.

    Example:
        >>> similarity_of(np.array([[1.0, 0], [2, 0], [0, 1]]), np.array([0, 0, 1]))
        array([1., 1., 1.])
    """
    unit, found = _directions(points), np.full(len(points), np.nan)
    known = np.isfinite(unit).all(axis=1)
    for one in np.unique(label[known]):
        here = known & (label == one)
        mean = unit[here].mean(axis=0)
        length = float(np.linalg.norm(mean))
        found[here] = unit[here] @ mean / length if length > 0 else 0.0
    return found


def density_of(points: Floats, order: NDArray[np.uint64]) -> Floats:
    """Minus the mean distance of each direction to the nearest landmarks; NaN where there is none.

    Args:
        points: shape (N, D); rows of NaN are not known.
        order: the known rows with the smallest numbers are the landmarks, shape (N,).

    Example:
        >>> points, order = np.array([[1.0, 0], [2, 0], [0, 1]]), np.arange(3, dtype=np.uint64)
        >>> density_of(points, order).round(2)
        array([-0.71, -0.71, -1.41])
    """
    unit, found = _directions(points), np.full(len(points), np.nan)
    known = (
        np.flatnonzero(np.isfinite(unit).all(axis=1)) if points.shape[1] else found[:0].astype(int)
    )
    landmarks = known[np.argsort(order[known], kind="stable")[:_LANDMARKS]]
    if len(landmarks) < 2:
        return found
    nearest = min(_NEAREST, len(landmarks) - 1)
    for chunk in np.split(known, range(_CHUNK, len(known), _CHUNK)):
        distance = np.sqrt(np.maximum(2 - 2 * unit[chunk] @ unit[landmarks].T, 0))
        distance[chunk[:, None] == landmarks] = np.inf
        found[chunk] = -np.partition(distance, nearest - 1, axis=1)[:, :nearest].mean(axis=1)
    return found


def _directions(points: Floats) -> Floats:
    length = np.sqrt(np.square(points).sum(axis=1, keepdims=True))
    return np.asarray(points / np.where(length > 0, length, np.nan))


def _sketches(state: State) -> Floats:
    return np.where(state["sketched"][:, None] > 0, state["sketch"].astype(np.float64), np.nan)


def _representations(state: State) -> Floats:
    if state.representation is None:
        return np.full((len(state["label"]), 1), np.nan)
    return state.representation.astype(np.float64)


def _order(state: State) -> NDArray[np.uint64]:
    return mixed(mixed(state["key_high"]) ^ state["key_low"])
