"""Files that are there whole or not at all, also after the power went: written beside their place, synced, moved, synced.

A move alone is not enough: a file system may write the new name to disk before the content, or neither. So the content is
synced before the move, and the folder, which holds the name, after it.
"""

import errno
import os
from pathlib import Path
from typing import Any

__all__ = ["into_place", "put_whole", "write_whole"]


def write_whole(path: Path, content: bytes, *, private: bool = False) -> None:
    """Write a file; what lay there stays until the new content is on disk.

    Args:
        path: the file, in a folder that is there.
        content: all of it.
        private: whether nobody but its owner may read it.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp(), "checkpoint")
        >>> write_whole(path, b"line 7")
        >>> path.read_bytes()
        b'line 7'
    """
    half = path.with_name(f"{path.name}.half")
    half.unlink(missing_ok=True)  # its rights may be others
    number = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600 if private else 0o666)
    with os.fdopen(number, "wb") as file:
        file.write(content)
    into_place(half, path)


def into_place(half: Path, path: Path) -> None:
    """Move a file that was written beside its place into it, once its content is on disk.

    Args:
        half: the file, written and closed.
        path: its place, in the same folder.
    """
    _sync(half)
    half.replace(path)
    _sync(path.parent)


def put_whole(files: Any, path: str, content: bytes) -> None:
    """Write a file of a file system of fsspec.

    An object store shows an object whole or not at all, and keeps what it has acknowledged; of a local folder it is seen to.

    Args:
        files: the file system.
        path: in it.
        content: all of it.
    """
    from fsspec.implementations.local import LocalFileSystem  # slow to import

    if isinstance(files, LocalFileSystem):
        write_whole(Path(path), content)
    else:
        files.pipe_file(path, content)


def _sync(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    except OSError as error:
        if (
            error.errno != errno.EINVAL
        ):  # some network file systems sync no folders, for they write them at once
            raise
    finally:
        os.close(number)
