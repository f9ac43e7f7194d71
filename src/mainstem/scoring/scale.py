"""The unit of importance: the canaries' mean response norm at a version. Norms divided by it compare between versions."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mainstem.errors import NonFiniteError
from mainstem.join import PlacedSample, told
from mainstem.models import ActiveVersion
from mainstem.responses import Responses

__all__ = ["mean_norm", "scale_of"]

_FEWEST: Final = 30  # fewer canaries than this make no steady mean


def scale_of(active: ActiveVersion, samples: Sequence[PlacedSample]) -> float | None:
    """The scale of a version: the canaries' mean norm; of all samples while there are too few canaries for a steady mean.

    Returns:
        None without samples.
    """
    canaries = [sample for sample in samples if sample.part == "canary"]
    chosen = canaries if len(canaries) >= _FEWEST else list(samples)
    if not chosen:
        return None
    found = active.responses(*told(chosen))
    return mean_norm(found, chosen)


def mean_norm(found: Responses[NDArray[np.float32]], samples: Sequence[PlacedSample]) -> float:
    """The same out of responses that are known already.

    Raises:
        NonFiniteError: if most of the norms are not finite; a few are left out.
    """
    canaries = np.array([sample.part == "canary" for sample in samples])
    norms = found.norm[canaries] if canaries.sum() >= _FEWEST else found.norm
    finite = norms[np.isfinite(norms)]
    if 2 * len(finite) < len(norms):
        msg = f"non-finite response norms of {len(norms) - len(finite)} of {len(norms)} samples"
        raise NonFiniteError(msg)
    return (
        math.fsum(finite) / len(finite) or 1.0
    )  # the same to the last bit wherever the array lies in memory
