"""Files that commands write: complete or not at all, and never over a file that is being read."""

import gzip
import os
import signal
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkstemp
from types import FrameType
from typing import IO, Final, NoReturn

from mainstem.disk import into_place
from mainstem.errors import ImportSourceError

__all__ = ["is_stdout", "open_whole", "same_file"]

_STDOUT: Final = ("-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")
_ENDING: Final = (signal.SIGTERM, signal.SIGHUP)


def is_stdout(path: Path) -> bool:
    """Whether a path means standard output.

    Example:
        >>> is_stdout(Path("-")), is_stdout(Path("/dev/stdout")), is_stdout(Path("log.jsonl"))
        (True, True, False)
    """
    return str(path) in _STDOUT


def same_file(one: Path, other: Path) -> bool:
    """Whether two paths lead to the same file, by any name or link; stdout is the file it goes to.

    Example:
        >>> same_file(Path("a/../log.jsonl"), Path("log.jsonl")), same_file(Path("-"), Path("-"))
        (True, True)
    """
    if is_stdout(one) and is_stdout(other):
        return True
    with suppress(OSError):
        return os.path.samestat(_stat(one), _stat(other))
    if is_stdout(one) or is_stdout(other):
        return False
    return one.resolve() == other.resolve()


@contextmanager
def open_whole(
    path: Path, sources: Sequence[Path] = (), *, kind: str = "log"
) -> "Iterator[IO[bytes]]":
    """Open a file that is moved to its place when it is complete; the old file stays until then.

    A signal that ends the program removes the half-written file first. Standard output, pipes and
    devices are written directly.

    Args:
        path: where the file belongs; it is packed by gzip if the name ends in `.gz`. If it is a
            link, the file that it leads to is written.
        sources: files that are read meanwhile, and must not be overwritten.
        kind: what the file is, for the words of an error.

    Raises:
        ImportSourceError: if the path is one of the sources or a folder, or cannot be written.
    """
    _refuse(path, sources, kind)
    if is_stdout(path):
        with _told(path, kind, "standard output"):
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        return
    if path.exists() and not path.is_file():  # a pipe or a device
        with _told(path, kind), path.open("wb") as pipe:
            yield pipe
        return
    with _ended_cleanly(), _told(path, kind), _half_of(path.resolve()) as (half, file):
        if path.suffix == ".gz":
            # without name and time, the same content gives the same bytes
            with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as zipped:
                yield zipped  # type: ignore[misc]  # has all that a writer uses of a file of bytes
        else:
            yield file
        file.close()
        into_place(half, path.resolve())


@contextmanager
def _half_of(place: Path) -> Iterator[tuple[Path, IO[bytes]]]:
    """A temporary file in the folder of its place; removed at the end if it was not moved."""
    made = [folder for folder in place.parents if not folder.exists()]
    half = None
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        number, name = mkstemp(prefix=f".{place.name[:100]}.", suffix=".half", dir=place.parent)
        half = Path(name)
        with os.fdopen(number, "wb") as file:
            half.chmod(_mode(place))
            yield half, file
    finally:
        if half:
            half.unlink(missing_ok=True)
        with suppress(OSError):  # a folder with something in it stays
            for folder in made:
                folder.rmdir()


def _refuse(path: Path, sources: Sequence[Path], kind: str) -> None:
    for source in sources:
        if str(source) != "-" and same_file(path, source) and not _is_device(source):
            msg = (
                f"{str(path)!r} is the file that is read, {str(source)!r}, and would be "
                "overwritten; write to another place"
            )
            raise ImportSourceError(msg)
    if path.is_dir():
        msg = f"cannot write the {kind} {str(path)!r}: it is a folder; name a file in it"
        raise ImportSourceError(msg)
    if path.is_file() and not os.access(path, os.W_OK):
        msg = f"cannot write the {kind} {str(path)!r}: it is write-protected; name another place"
        raise ImportSourceError(msg)


def _stat(path: Path) -> os.stat_result:
    return os.fstat(1) if is_stdout(path) else path.stat()


def _is_device(path: Path) -> bool:
    with suppress(OSError):
        return stat.S_ISCHR(path.stat().st_mode)
    return False


def _mode(place: Path) -> int:
    """The permissions of the file that is there, or those of a new file."""
    if place.exists():
        return stat.S_IMODE(place.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


@contextmanager
def _told(path: Path, kind: str, what: str = "") -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as error:
        if what:
            # subtle: else Python prints an error when it flushes stdout at exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        msg = f"the reader of {what or repr(str(path))} has closed it; the {kind} is not complete"
        raise ImportSourceError(msg) from error
    except OSError as error:
        msg = (
            f"cannot write the {kind} {what or repr(str(path))}: {error.strerror or error}; name "
            "another place"
        )
        raise ImportSourceError(msg) from error


@contextmanager
def _ended_cleanly() -> Iterator[None]:
    """Turn a signal to end into an exit that runs all clean-up."""
    before = {}
    with suppress(ValueError):  # only the main thread may set handlers
        for one in _ENDING:
            if signal.getsignal(one) == signal.SIG_DFL:
                before[one] = signal.signal(one, _end)
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _end(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001 - as signal calls it
    raise SystemExit(128 + number)
