"""Which `spent` samples a new version scores again, in case they have something to teach again."""

from typing import Final
from uuid import UUID

import numpy as np

from mainstem.ids import number_of
from mainstem.importance import Rows, mixed
from mainstem.standing import NOISE, REASONS

__all__ = ["looked_at_again"]

_SPENT: Final = REASONS.index("spent")
_ALL: Final = float(2**64)


def looked_at_again(rows: Rows, share: float, seed: int, version: int) -> list[UUID]:
    """Ids of the `spent` samples that a version scores again: about a share of them.

    A hash of seed, version and sample decides, so every version looks at others, and the order of
    the rows does not matter.

    Args:
        rows: rows of a partition.
        share: share of the spent samples, in [0, 1].
        seed: seed of the run.
        version: number of the version.

    Example:
        >>> looked_at_again(Rows(), 0.5, seed=0, version=1)
        []
    """
    spent = np.flatnonzero((rows["standing"] == NOISE) & (rows["reason"] == _SPENT))
    salt = np.uint64(number_of("look again", seed, version) & 0xFFFF_FFFF_FFFF_FFFF)
    number = mixed(mixed(rows["key_high"][spent] ^ salt) ^ rows["key_low"][spent])
    return [rows.id_of(row) for row in spent[number / _ALL < share]]
