"""Share a folder among workers: the first worker to ask makes it."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def is_worker() -> bool:
    """Return whether this process is one of several that share the tests."""
    return "PYTEST_XDIST_WORKER" in os.environ


def made_once(folders: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """Return a folder that the first caller makes and all workers read.

    Args:
        folders: folder factory of this worker; the factories of all workers share a parent folder.
        name: name of the folder.
        make: function that fills the folder, which exists and is empty.
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
    """Let one worker in while the others wait."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
