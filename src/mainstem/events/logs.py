"""Event logs on disk: JSON lines, plain or gzip, or standard input (`-`)."""

import gzip
import os
import shutil
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from mainstem.errors import LogError

__all__ = ["LONGEST_LINE", "read_lines", "spool"]

LONGEST_LINE: Final = 1 << 20
"""Bytes of the longest line that is read whole; what goes beyond is cut off, so that the line is refused."""
_BOM: Final = b"\xef\xbb\xbf"


def read_lines(path: Path) -> Iterator[bytes]:
    """The lines of a log, without their line breaks, in order.

    Args:
        path: JSON lines, plain or gzip (told by its first bytes, not by its name).

    Raises:
        LogError: if the file is missing, empty or binary, or its gzip stream is broken.
    """
    with _open(path) as file:
        number = 0
        try:
            _refuse_binary(file, path)
            while line := file.readline(LONGEST_LINE):
                if number == 0:
                    line = line.removeprefix(_BOM)
                number += 1
                if not line.endswith(b"\n"):
                    _skip_to_line_break(file)
                yield line.rstrip(b"\r\n")
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            msg = (
                f"the gzip stream of {str(path)!r} breaks off after line {number} ({error}); "
                "copy the file again, or give the lines that can be read: `zcat FILE | mainstem replay -`"
            )
            raise LogError(msg) from error
    if number == 0:
        msg = f"the log {str(path)!r} is empty; it should hold one JSON event a line (`mainstem import` makes one)"
        raise LogError(msg)


def spool(folder: Path) -> Path:
    """Copy standard input to a file in `folder`, because a log is read twice (items first), and give its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "stdin.jsonl"
    half = path.with_name(f"{path.name}.half")
    with half.open("wb") as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
    half.replace(path)
    return path


def _open(path: Path) -> IO[bytes]:
    if path.is_dir():
        msg = f"{str(path)!r} is a folder; give one log file"
        raise LogError(msg)
    try:
        with path.open("rb") as file:
            magic = file.read(2)
        # subtle: gzip closes only a file that it opened itself
        return gzip.open(path, "rb") if magic == b"\x1f\x8b" else path.open("rb")  # type: ignore[return-value]
    except OSError as error:
        msg = f"cannot read the log {str(path)!r}: {os.strerror(error.errno or 0)}; check the path"
        raise LogError(msg) from error


def _refuse_binary(file: IO[bytes], path: Path) -> None:
    if b"\0" in file.peek(4096)[:4096]:  # type: ignore[attr-defined]  # a buffered file, plain or unzipped
        msg = f"{str(path)!r} is a binary file, not JSON lines; `mainstem import` reads other formats"
        raise LogError(msg)


def _skip_to_line_break(file: IO[bytes]) -> None:
    while rest := file.readline(LONGEST_LINE):
        if rest.endswith(b"\n"):
            return
