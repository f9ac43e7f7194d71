"""The trusted gradient of a version: where samples that are believed, and never trained on, would move its weights."""

from collections.abc import Mapping
from typing import Final

import torch
from torch import Tensor

from mainstem.errors import NonFiniteError
from mainstem.join import told
from mainstem.models import ActiveVersion
from mainstem.store import Store, trusted_samples

__all__ = ["direction_of"]

_NEWEST: Final = 500


def direction_of(active: ActiveVersion, store: Store, ends: Mapping[int, int]) -> dict[str, Tensor]:
    """Mean gradient over the newest trusted samples of part `direction`, by parameter; nothing while there are none.

    Args:
        active: the version.
        store: the history.
        ends: positions of each partition before which they lie.

    Raises:
        NonFiniteError: if it is not finite, and no response could be held against it.
    """
    known = trusted_samples(store, "direction", ends)
    newest = sorted(known, key=lambda sample: (sample.event_time, sample.partition, sample.offset))[
        -_NEWEST:
    ]
    direction = active.gradient(*told(newest))
    if bad := next(
        (name for name, part in direction.items() if not torch.isfinite(part).all()), ""
    ):
        msg = f"non-finite trusted gradient of {bad!r} over {len(newest)} samples"
        raise NonFiniteError(msg)
    return direction
