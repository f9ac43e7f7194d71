"""Read and write the small files of a home; an error of the system becomes one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from mainstem.disk import write_whole
from mainstem.errors import HomeError

__all__ = ["home_errors", "read_file", "write_file"]

T = TypeVar("T")


def write_file(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all.

    Raises:
        HomeError: if the system refuses.
    """
    with home_errors("cannot write", path):
        write_whole(path, content)


def read_file(path: Path, kind: type[T], form: Any = msgspec.msgpack) -> T | None:
    """Read the value in a file; None where there is no such file.

    Args:
        path: path of the file.
        kind: type of the value.
        form: module of msgspec that the file was written with.

    Raises:
        HomeError: if the file cannot be read, or holds no value of this type.
    """
    try:
        with home_errors("cannot read", path):
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
def home_errors(what: str, path: Path) -> Iterator[None]:
    """Turn an error of the system within the context into a `HomeError` of one line.

    Args:
        what: what was tried, as the message begins: `cannot write`.
        path: file or folder on which it was tried.

    Raises:
        HomeError: if the system refuses.
    """
    try:
        yield
    # subtle: a path whose links form a circle raises a RuntimeError
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        msg = (
            f"{what} {str(path)!r}: {reason}; "
            "check disk space and permissions, or give another --home"
        )
        raise HomeError(msg) from error
