"""Makes the C library's allocator keep memory that a pass frees, because the next one needs it.

By default glibc returns the top of its heap to the system when a pass ends, and the next pass pays
a page fault for every 4 KiB of it.
"""

import ctypes
from typing import Final

__all__ = ["give_back_freed_memory", "keep_freed_memory"]

_TRIM_THRESHOLD: Final = -1  # M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of glibc's malloc.h
_MMAP_THRESHOLD: Final = -3
_KEPT: Final = 1 << 30  # bytes of free memory to keep


def keep_freed_memory() -> bool:
    """Set the allocator to keep freed memory; return whether it is one that can (glibc's)."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(_TRIM_THRESHOLD, _KEPT)) and bool(mallopt(_MMAP_THRESHOLD, _KEPT))


def give_back_freed_memory() -> bool:
    """Return free memory to the system, so that the size of the process shows what it holds.

    Returns:
        Whether there was free memory, and an allocator that can return it.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return trim is not None and bool(trim(0))
