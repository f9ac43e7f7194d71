"""The C library's allocator, told to keep what a pass frees."""

import platform

from mainstem.allocator import keep_freed_memory


def test_glibc_listens() -> None:
    """Where the C library is glibc it takes the setting; elsewhere nothing happens."""
    assert ("glibc" == platform.libc_ver()[0]) == keep_freed_memory()
