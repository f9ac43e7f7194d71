"""The trusted gradient of a version: the mean gradient of trusted samples, never trained on."""

from collections.abc import Mapping
from typing import Final

import torch
from torch import Tensor

from mainstem.errors import NonFiniteError
from mainstem.join import examples_of
from mainstem.models import ActiveVersion
from mainstem.process.stopwatch import SPENT
from mainstem.store import Store, trusted_samples

__all__ = ["direction_of"]

_NEWEST: Final = 500


@SPENT.on("direction")
def direction_of(active: ActiveVersion, store: Store, ends: Mapping[int, int]) -> dict[str, Tensor]:
    """Mean gradient over the newest trusted samples of part `direction`.

    Args:
        active: the version, ready to score.
        store: the history.
        ends: position of the next sample of each partition; only earlier samples are taken.

    Returns:
        The gradient by parameter name; empty if there are no such samples.

    Raises:
        NonFiniteError: if a number in it is NaN or infinite.
    """
    known = trusted_samples(store, "direction", ends)
    by_time = sorted(known, key=lambda sample: (sample.event_time, sample.partition, sample.offset))
    newest = by_time[-_NEWEST:]
    direction = active.gradient(examples_of(newest))
    for name, part in direction.items():
        if not torch.isfinite(part).all():
            msg = f"non-finite trusted gradient of {name!r} over {len(newest)} samples"
            raise NonFiniteError(msg)
    return direction
