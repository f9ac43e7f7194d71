"""The lock of a home, which lets one process at a time open it."""

import fcntl
import os
from pathlib import Path
from typing import IO

from mainstem.errors import HomeInUseError

__all__ = ["take_lock"]


def take_lock(lock: IO[str], folder: Path) -> None:
    """Take the lock of a home and write this process's id into it; the lock ends with the file.

    Args:
        lock: the open file `lock` of the home; closed where the lock is refused.
        folder: the home.

    Raises:
        HomeInUseError: if another process holds the lock, or removed the file just now.
    """
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.seek(0)
        owner = lock.read().strip() or "unknown"
        lock.close()
        msg = f"{str(folder)!r} is in use by process {owner}; wait for it, or stop it"
        raise HomeInUseError(msg) from error
    if not os.path.samestat(os.fstat(lock.fileno()), (folder / "lock").stat()):
        lock.close()
        msg = f"{str(folder)!r} was removed by another process just now; try again"
        raise HomeInUseError(msg)
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
