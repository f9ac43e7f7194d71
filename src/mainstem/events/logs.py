"""Event logs on disk: JSON lines, plain, gzip or zstd; Parquet; folders of these; or standard input (`-`).

Whatever the form, a reader gets the same thing: one JSON event a line, as bytes, in an order that is the same every time. A
replay counts on it: it reads a log twice, and goes on by skipping lines.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NoReturn

from mainstem.disk import into_place
from mainstem.errors import LogError
from mainstem.events.forms import form_of, refuse_unreadable
from mainstem.events.parquet_log import parquet_lines

__all__ = ["LONGEST_LINE", "read_lines", "spool"]

LONGEST_LINE: Final = 1_000_000
"""Bytes of the longest line that is an event: with key and headers it fits in a record that a broker takes by default.

Of a longer line one byte more than that is kept, so that `decode` refuses it, and says why.
"""
_BOM: Final = b"\xef\xbb\xbf"
_HIDDEN: Final = (
    ".",
    "_",
)  # what Spark and its like lay beside the data: _SUCCESS, _temporary, .part.crc


def read_lines(path: Path) -> Iterator[bytes]:
    r"""The lines of a log, without their line breaks, in order.

    Args:
        path: one log, or a folder of logs, whose lines are read as if they were one log. What a file is, its first bytes
            say, not its name: gzip, zstd, Parquet (a row is a line), or else plain JSON lines. A folder's files are read in
            the order of their names, sub-folders included; left out are empty files, and names that begin with `.` or `_`
            or end in `.half`. A folder may grow, if names of new files come after the old ones.

    Raises:
        LogError: if there is nothing to read; or a file is binary, in another encoding than UTF-8, or broken.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     for name, lines in (("b.jsonl", b"three\n"), ("a.jsonl", b"one\ntwo\n")):
        ...         _ = (Path(folder) / name).write_bytes(lines)
        ...     list(read_lines(Path(folder)))
        [b'one', b'two', b'three']
    """
    line = None
    for file in _files_of(path):
        for line in _lines_of(file):
            yield line[: LONGEST_LINE + 1]
    if line is None:
        what = "has no file with a line in it" if path.is_dir() else "is empty"
        msg = f"the log {str(path)!r} {what}; it should hold one JSON event a line (`mainstem import` makes one)"
        raise LogError(msg)


def spool(folder: Path) -> Path:
    """Copy standard input to a file in `folder`, because a log is read twice (items first), and give its path.

    Raises:
        LogError: if nothing comes; a copy that was made before then stays.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "stdin.jsonl"
    half = path.with_name(f"{path.name}.half")
    with half.open("wb") as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
    if not half.stat().st_size:
        half.unlink()
        msg = "standard input is empty; it should hold one JSON event a line (`mainstem import` makes one)"
        raise LogError(msg)
    into_place(half, path)
    return path


def _files_of(path: Path) -> list[Path]:
    if not path.is_dir():
        if path.exists() and not path.is_file():
            msg = f"{str(path)!r} is a pipe or a device, and a log is read more than once; give `-` and pipe it in"
            raise LogError(msg)
        return [path]
    found = []
    for folder, folders, names in os.walk(path, onerror=_refuse_folder):
        folders[:] = [name for name in folders if not name.startswith(_HIDDEN)]
        found += [
            Path(folder, name)
            for name in names
            if not name.startswith(_HIDDEN) and not name.endswith(".half")
        ]
    return sorted((file for file in found if file.is_file()), key=lambda file: file.parts)


def _refuse_folder(error: OSError) -> NoReturn:
    msg = f"cannot read the folder {error.filename!r}: {os.strerror(error.errno or 0)}; check its permissions"
    raise LogError(msg) from error


def _lines_of(path: Path) -> Iterator[bytes]:
    """The lines of one file; none where it is empty."""
    form = form_of(path)
    if form.name == "Parquet":
        yield from parquet_lines(path)
        return
    number = 0
    with form.open(path) as file:
        try:
            refuse_unreadable(file, path, form)
            while line := file.readline(LONGEST_LINE + len(b"\r\n")):
                if number == 0:
                    line = line.removeprefix(_BOM)
                number += 1
                whole = line.endswith(b"\n")
                while not whole and (
                    rest := file.readline(LONGEST_LINE)
                ):  # in bounded memory to the end of the line
                    whole = rest.endswith(b"\n")
                yield line.removesuffix(b"\n").removesuffix(b"\r")
        except form.errors as error:
            msg = (
                f"the {form.name} stream of {str(path)!r} breaks off after line {number} ({error}); copy the file again, "
                f"or give the lines that can be read: `{form.tool} FILE | mainstem replay -`"
            )
            raise LogError(msg) from error
