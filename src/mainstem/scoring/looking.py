"""Which `spent` samples a new version scores again, in case they have something to teach again."""

from typing import Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from mainstem.ids import number_of
from mainstem.importance import Rows
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
    number = _mixed(_mixed(rows["key_high"][spent] ^ salt) ^ rows["key_low"][spent])
    return [rows.id_of(row) for row in spent[number / _ALL < share]]


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread 64 bits so that each depends on all others.

    Source:
        Steele, Lea and Flood, Fast Splittable Pseudorandom Number Generators, OOPSLA 2014
        (the mixer of SplitMix64).
    """
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58_476D_1CE4_E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D0_49BB_1331_11EB)
    return values ^ (values >> np.uint64(31))
