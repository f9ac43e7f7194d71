"""The C library's allocator keeps the memory that a forward pass frees."""

import os
import platform
from pathlib import Path

import numpy as np
import pytest

from mainstem.process.allocator import give_back_freed_memory, keep_freed_memory


def test_glibc_takes_the_setting() -> None:
    """The setting is taken where the C library is glibc, and ignored elsewhere."""
    assert ("glibc" == platform.libc_ver()[0]) == keep_freed_memory()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another allocator than glibc's")
def test_what_was_kept_is_given_back() -> None:
    """Freed memory that the allocator keeps counts to the process until it is given back."""

    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    keep_freed_memory()
    # 64 MiB
    held = np.ones(1 << 23)
    del held
    kept = resident()
    assert give_back_freed_memory()
    assert kept - resident() > 32 << 20
