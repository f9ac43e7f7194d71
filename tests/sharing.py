"""What workers that run tests side by side share: a folder that the first of them makes."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def is_worker() -> bool:
    """Whether this process is one of several that share the tests."""
    return "PYTEST_XDIST_WORKER" in os.environ


def made_once(folders: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that whoever asks first makes, and all workers read.

    Args:
        folders: of this worker; those of all lie in one folder.
        name: of the folder.
        make: fills the folder, which exists and is empty.
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
    """While one worker is inside, the others wait."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
