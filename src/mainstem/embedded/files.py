"""The small files of a home, read and written whole; an error of the system becomes one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from mainstem.disk import write_whole
from mainstem.errors import HomeError

__all__ = ["keep", "kept", "told"]

T = TypeVar("T")


def keep(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all.

    Raises:
        HomeError: if the system refuses.
    """
    with told("cannot write", path):
        write_whole(path, content)


def kept(path: Path, kind: type[T], form: Any = msgspec.msgpack) -> T | None:
    """The value in a file; None where there is no such file.

    Args:
        path: the file.
        kind: type of the value.
        form: the module of msgspec that wrote it.

    Raises:
        HomeError: if the file cannot be read, or holds something else.
    """
    try:
        with told("cannot read", path):
            return form.decode(path.read_bytes(), type=kind) if path.exists() else None
    except msgspec.ValidationError as error:
        msg = (
            f"{str(path)!r} cannot be read: another mainstem wrote it, and it lacks what this one "
            f"needs ({error}); the history still answers questions, "
            "and --from-start begins a replay anew"
        )
        raise HomeError(msg) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        msg = (
            f"{str(path)!r} cannot be read ({error}); "
            "restore the whole home from a copy, or begin again: --from-start"
        )
        raise HomeError(msg) from error


@contextmanager
def told(what: str, path: Path) -> Iterator[None]:
    """Tell in one line what the system refuses.

    Args:
        what: what was tried.
        path: on which file or folder.

    Raises:
        HomeError: in place of the system's error.
    """
    try:
        yield
    # subtle: a path that goes round in a circle of links raises a RuntimeError
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        msg = (
            f"{what} {str(path)!r}: {reason}; "
            "check disk space and permissions, or give another --home"
        )
        raise HomeError(msg) from error
