"""Folders that workers which run tests side by side share."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def is_worker() -> bool:
    """Whether this process is one of several workers that share the tests."""
    return "PYTEST_XDIST_WORKER" in os.environ


def made_once(folders: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that the first worker to ask makes, and that all workers may read.

    Args:
        folders: temporary folders of this worker; those of all workers have one parent.
        name: name of the folder, unique among all folders made by this function.
        make: fills the folder. It is called again, by the next worker that asks, if it raises.
    """
    base = folders.getbasetemp()
    if is_worker():
        base = base.parent
    made = base / f"once-{name}"
    with _alone(base / f"once-{name}.lock"):
        if not (made / "made").exists():
            made.mkdir(exist_ok=True)
            make(made)
            (made / "made").touch()
    return made


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold a lock, for which the other workers wait."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
