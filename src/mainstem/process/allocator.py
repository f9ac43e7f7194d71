"""The C library's allocator, told to keep what a pass frees: the next pass needs as much.

By default glibc gives the top of its heap back to the system when a pass ends, and the next one pays a page fault for every
4 KiB of it again.
"""

import ctypes
from typing import Final

__all__ = ["give_back_freed_memory", "keep_freed_memory"]

_TRIM_THRESHOLD: Final = -1  # M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of glibc's malloc.h
_MMAP_THRESHOLD: Final = -3
_KEPT: Final = 1 << 30


def keep_freed_memory() -> bool:
    """Tell the allocator; whether there is one that listens (glibc's)."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(_TRIM_THRESHOLD, _KEPT)) and bool(mallopt(_MMAP_THRESHOLD, _KEPT))


def give_back_freed_memory() -> bool:
    """Give back to the system what is free, so that a process's size says what it holds; whether there was any."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return trim is not None and bool(trim(0))
