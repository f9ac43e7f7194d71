"""Event logs: JSON lines (plain, gzip or zstd), Parquet, folders of these, or standard input.

In every form a reader gets one JSON event per line, as bytes, always in the same order. A replay
relies on that: it reads a log twice, and resumes by skipping lines.
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
"""Most bytes of an event. With key and headers it fits in the largest record of a default broker.

A longer line is cut to one byte more, so that `decode` refuses it and says why.
"""
_BOM: Final = b"\xef\xbb\xbf"
_HIDDEN: Final = (".", "_")  # Spark's files beside the data: _SUCCESS, _temporary, .part.crc


def read_lines(path: Path) -> Iterator[bytes]:
    r"""Read the lines of a log in order, without their line breaks.

    The first bytes of a file, not its name, decide its form: gzip, zstd, Parquet (a row is a line),
        or
    else plain JSON lines. The files of a folder and its sub-folders are read in the order of their
    names, without names that begin with `.` or `_` or end in `.half`. A folder may grow if the
    names of new files come after the old ones.

    Args:
        path: a file, or a folder whose files are read as one log.

    Raises:
        LogError: if there is no line to read, or a file is binary, broken or not UTF-8.

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
        msg = (
            f"the log {str(path)!r} {what}; "
            "it should hold one JSON event per line (`mainstem import` makes a log)"
        )
        raise LogError(msg)


def spool(folder: Path) -> Path:
    """Copy standard input to a file, because a log is read twice.

    Args:
        folder: folder of the file, which is made if it does not exist.

    Returns:
        The path of the file.

    Raises:
        LogError: if standard input is empty; an earlier copy then stays.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "stdin.jsonl"
    half = path.with_name(f"{path.name}.half")
    with half.open("wb") as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
    if not half.stat().st_size:
        half.unlink()
        msg = (
            "standard input is empty; "
            "it should hold one JSON event per line (`mainstem import` makes a log)"
        )
        raise LogError(msg)
    into_place(half, path)
    return path


def _files_of(path: Path) -> list[Path]:
    if not path.is_dir():
        if path.exists() and not path.is_file():
            msg = (
                f"{str(path)!r} is a pipe or a device, but a log is read more than once; "
                "give `-` and pipe it in"
            )
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
    reason = os.strerror(error.errno or 0)
    msg = f"cannot read the folder {error.filename!r}: {reason}; check its permissions"
    raise LogError(msg) from error


def _lines_of(path: Path) -> Iterator[bytes]:
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
                # skip the rest of a line that is too long, in bounded memory
                whole = line.endswith(b"\n")
                while not whole and (rest := file.readline(LONGEST_LINE)):
                    whole = rest.endswith(b"\n")
                yield line.removesuffix(b"\n").removesuffix(b"\r")
        except form.errors as error:
            msg = (
                f"the {form.name} stream of {str(path)!r} breaks off after line {number} "
                f"({error}); copy the file again, or give the lines that can be read: "
                f"`{form.tool} FILE | mainstem replay -`"
            )
            raise LogError(msg) from error
