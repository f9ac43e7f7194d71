"""Helpers for tests of processes."""

import os
import sys
import time
from collections.abc import Callable
from typing import Any

SLEEP = [sys.executable, "-c", "import time; time.sleep(1000)"]


def until(true: Callable[[], Any], seconds: float = 60) -> None:
    """Wait for a condition that another process brings about."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Return whether a process runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
