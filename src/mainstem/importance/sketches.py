"""Sketches as they are kept: eleven significant bits in the history, float16 in running means."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["lengths_of", "mean_with", "rounded"]

_LOST: Final = np.uint32(13)  # bits that float32 has beyond float16
_LARGEST: Final = 65_504.0  # the largest number in float16


def rounded(sketch: NDArray[np.float32]) -> NDArray[np.float32]:
    """The nearest values with as many digits as float16 has, and the range of float32.

    subtle: the range of float16 would round the small gradients of a confident model to 0.

    Example:
        >>> rounded(np.array([1.0, 1.0004, 1.0006, 3e-30], np.float32)).tolist()[:3]
        [1.0, 1.0, 1.0009765625]
        >>> float(rounded(np.array([3e-30], np.float32))[0]) > 0
        True
    """
    bits = np.ascontiguousarray(sketch, np.float32).view(np.uint32)
    half = (np.uint32(1) << (_LOST - np.uint32(1))) - np.uint32(1)
    even = (bits >> _LOST) & np.uint32(1)  # ties are rounded to the even value
    return np.asarray(((bits + half + even) >> _LOST << _LOST).view(np.float32))


def mean_with(
    mean: NDArray[np.float16], sketch: NDArray[np.float32], count: NDArray[np.int32]
) -> NDArray[np.float16]:
    """Running means after one more sketch each, computed in float32 and kept as float16.

    Args:
        mean: means so far, shape (B, k).
        sketch: next sketch of each row, shape (B, k).
        count: number of sketches including the next one, shape (B,).

    Example:
        >>> mean, sketch = np.array([[1, 0]], np.float16), np.array([[2, 4]], np.float32)
        >>> mean_with(mean, sketch, np.array([2], np.int32)).tolist()
        [[1.5, 2.0]]
    """
    before = mean.astype(np.float32)
    after = before + (sketch - before) / count[:, None].astype(np.float32)
    return after.clip(-_LARGEST, _LARGEST).astype(np.float16)


def lengths_of(mean: NDArray[np.float16]) -> NDArray[np.float64]:
    """Length of each row: (B, k) -> (B,).

    Example:
        >>> lengths_of(np.array([[3.0, 4.0]], np.float16))
        array([5.])
    """
    return np.asarray(np.sqrt(np.square(mean.astype(np.float64)).sum(axis=1)))
