"""A filesystem that fails."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fsspec.implementations.local import LocalFileSystem

from mainstem import disk
from mainstem.versions import versions as room


class FailingFiles:
    """A filesystem that fails at one of its changes, as if the process was killed there.

    A file that is being put into a local folder is then half-written beside its place; an object
    store shows none of it.
    """

    def __init__(self, files: Any, at: int) -> None:
        self._files = files
        self._left = at

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._files, name)
        if name not in {"makedirs", "rm_file"}:
            return found

        def change(*given: Any, **more: Any) -> Any:
            self._count()
            return found(*given, **more)

        return change

    def put(self, path: str, content: bytes) -> None:
        """Put a file as `disk.put_whole` does, or leave half of it."""
        try:
            self._count()
        except KeyboardInterrupt:
            if isinstance(self._files, LocalFileSystem):
                Path(f"{path}.half").write_bytes(content[: len(content) // 2])
            raise
        disk.put_whole(self._files, path, content)

    def _count(self) -> None:
        if not self._left:
            msg = "killed"
            raise KeyboardInterrupt(msg)
        self._left -= 1


@contextmanager
def failing_puts() -> Iterator[None]:
    """Make `Versions` put its files through the failing filesystem."""
    before, room.put_whole = room.put_whole, FailingFiles.put
    try:
        yield
    finally:
        room.put_whole = before
