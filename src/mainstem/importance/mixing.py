"""A hash of many 64-bit numbers at once, for choices that must not depend on an order."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["mixed"]


def mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread 64 bits so that each depends on all others.

    Example:
        >>> mixed(np.array([1, 2], np.uint64)).tolist()
        [6238072747940578789, 15839785061582574730]

    Source:
        Steele, Lea and Flood, Fast Splittable Pseudorandom Number Generators, OOPSLA 2014
        (the mixer of SplitMix64).
    """
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58_476D_1CE4_E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D0_49BB_1331_11EB)
    return values ^ (values >> np.uint64(31))
