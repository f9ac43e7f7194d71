"""The scale of a version: the mean response norm of the canaries under it.

Norms divided by their version's scale can be compared between versions.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mainstem.errors import NonFiniteError
from mainstem.join import PlacedSample, examples_of
from mainstem.models import ActiveVersion
from mainstem.process.stopwatch import SPENT
from mainstem.responses import Responses

__all__ = ["counted", "mean_norm", "scale_of"]

_FEWEST: Final = 30  # with fewer canaries the mean is not steady


@SPENT.on("scale")
def scale_of(active: ActiveVersion, samples: Sequence[PlacedSample]) -> float | None:
    """Score samples and return the scale of a version.

    Args:
        active: the version, ready to score.
        samples: canaries and other samples. The others count only if there are too few canaries
            for a steady mean; then all samples count.

    Returns:
        The scale; None without samples.

    Raises:
        NonFiniteError: if most of the norms are not finite.
    """
    chosen = counted(samples)
    if not chosen:
        return None
    found = active.responses(examples_of(chosen, weighed=False))
    return mean_norm(found, chosen)


def counted(samples: Sequence[PlacedSample]) -> list[PlacedSample]:
    """The samples whose mean norm is the scale: the canaries, or all if those are too few."""
    canaries = [sample for sample in samples if sample.part == "canary"]
    return canaries if len(canaries) >= _FEWEST else list(samples)


def mean_norm(found: Responses[NDArray[np.float32]], samples: Sequence[PlacedSample]) -> float:
    """The scale of a version from known responses; see `scale_of`.

    Args:
        found: responses of the samples at the version.
        samples: the samples.

    Raises:
        NonFiniteError: if most of the norms are not finite; a few such norms are left out.
    """
    canaries = np.array([sample.part == "canary" for sample in samples])
    norms = found.norm[canaries] if canaries.sum() >= _FEWEST else found.norm
    finite = norms[np.isfinite(norms)]
    if 2 * len(finite) < len(norms):
        msg = f"non-finite response norms of {len(norms) - len(finite)} of {len(norms)} samples"
        raise NonFiniteError(msg)
    # `fsum` gives the same result wherever the array lies in memory
    return math.fsum(finite) / len(finite) or 1.0
