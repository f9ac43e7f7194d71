"""Directions at length 1, and what is computed from finished responses."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from mainstem.models.encoder import CrossEncoder
from mainstem.responses import Probe, Responses, length_of
from mainstem.settings import Settings

__all__ = ["alignments_of", "of_length_one", "weighed_by"]


def alignments_of(found: Responses[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Cosine of each response with the direction, in [-1, 1], shape (B,).

    It is NaN where there is no direction, and where the norm is 0.

    Example:
        >>> from dataclasses import replace
        >>> norm, one = np.array([2.0, 0.0], np.float32), np.ones(2, np.float32)
        >>> dots, none = np.array([[-1.0], [0.0]], np.float32), np.zeros((2, 0), np.float32)
        >>> found = Responses(norm, one, one, dots, none)
        >>> alignments_of(found).tolist()
        [-0.5, nan]
        >>> alignments_of(replace(found, dots=none)).tolist()
        [nan, nan]
    """
    alignments = np.full(len(found.norm), np.nan, np.float32)
    if found.dots.shape[1]:
        known = found.norm > 0
        alignments[known] = (found.dots[known, 0] / found.norm[known]).clip(-1, 1)
    return alignments


def weighed_by(
    found: Responses[NDArray[np.float32]], factor: NDArray[np.float32]
) -> Responses[NDArray[np.float32]]:
    """Responses of the weighted losses: gradients are linear in the loss, and margins stay.

    Args:
        found: responses of B samples.
        factor: factor of each sample's loss, shape (B,).
    """
    column = factor[:, None]
    return replace(
        found,
        norm=found.norm * factor,
        loss=found.loss * factor,
        dots=found.dots * column,
        sketch=found.sketch * column,
    )


def of_length_one(
    encoder: CrossEncoder, direction: Mapping[str, Tensor], settings: Settings
) -> list[dict[str, Tensor]]:
    """The part of a direction in the layers that responses are taken over, at length 1.

    The list is empty where that part is 0.
    """
    taken = Probe(encoder.network, layers=settings.responses.layer_patterns).parameters
    part = {name: direction[name] for name in sorted(taken.keys() & direction.keys())}
    length = length_of(part)
    return [{name: one / length for name, one in part.items()}] if length else []
