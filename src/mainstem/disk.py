"""Write files so that they exist whole or not at all, even after a power failure.

A file is written beside its place, synced, moved into its place, and the folder is synced. A move
alone is not enough: a file system may write the new name to disk before the content, or write
neither. So the content is synced before the move, and the folder, which holds the name, after it.
"""

import errno
import os
from pathlib import Path
from typing import Any

__all__ = ["into_place", "put_whole", "write_whole"]


def write_whole(path: Path, content: bytes, *, private: bool = False) -> None:
    """Write a file; an old file in its place stays until the new content is on disk.

    Args:
        path: path of the file, in a folder that exists.
        content: whole content of the file.
        private: whether only the owner of the file may read it.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp(), "checkpoint")
        >>> write_whole(path, b"line 7")
        >>> path.read_bytes()
        b'line 7'
    """
    half = path.with_name(f"{path.name}.half")
    half.unlink(missing_ok=True)  # a file left by a crash may have other permissions
    number = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600 if private else 0o666)
    with os.fdopen(number, "wb") as file:
        file.write(content)
    into_place(half, path)


def into_place(half: Path, path: Path) -> None:
    """Sync a file that was written beside its place, and move it into its place.

    Args:
        half: path of the file, which is written and closed.
        path: path of its place, in the same folder.
    """
    _sync(half)
    half.replace(path)
    _sync(path.parent)


def put_whole(files: Any, path: str, content: bytes) -> None:
    """Write a file, whole or not at all, to a file system of fsspec.

    An object store shows only whole objects, and keeps an object that it has acknowledged. A local
    folder needs `write_whole` for that.

    Args:
        files: file system of fsspec.
        path: path of the file in it.
        content: whole content of the file.
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
        # some network file systems refuse to sync a folder, because they write it at once
        if error.errno != errno.EINVAL:
            raise
    finally:
        os.close(number)
