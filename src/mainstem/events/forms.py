"""Recognizes how a file of a log is packed, and refuses other files, by the first bytes."""

import codecs
import gzip
import json
import os
import re
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from mainstem.errors import LogError
from mainstem.events.archives import START, foreign

__all__ = ["Form", "form_of", "refuse_unreadable"]

# an array of objects; other arrays are refused line by line
_ARRAY: Final = re.compile(rb"(\xef\xbb\xbf)?\s*\[\s*\{\s*\"")
_SPREAD: Final = re.compile(rb"(\xef\xbb\xbf)?\s*\{[ \t]*\r?\n\s*\"[^\"\r\n]*\"[ \t]*:")
# a frame, or a skippable frame, with which the output of pzstd begins
_ZSTD: Final = re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18")


@dataclass(frozen=True)
class Form:
    """How a file is packed.

    Attributes:
        name: `gzip`, `zstd`, `Parquet` or `plain`.
        tool: name of a program that prints the unpacked content; empty if nothing is packed.
        open: opens a file of this form to read its unpacked content.
        errors: exceptions that reading raises if the packing is broken.
    """

    name: str
    tool: str
    open: Callable[[Path], IO[bytes]]
    errors: tuple[type[Exception], ...] = ()


def form_of(path: Path) -> Form:
    """Return how a file is packed.

    Raises:
        LogError: if the file cannot be opened.
    """
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        msg = f"cannot read the log {str(path)!r}: {os.strerror(error.errno or 0)}; check the path"
        raise LogError(msg) from error
    if magic.startswith(b"\x1f\x8b"):
        return Form("gzip", "zcat", _open_gzip, (EOFError, zlib.error, gzip.BadGzipFile))
    if _ZSTD.match(magic):
        zstd = _zstd()
        return Form("zstd", "zstdcat", zstd.ZstdFile, (EOFError, zstd.ZstdError))
    return Form("Parquet" if magic == b"PAR1" else "plain", "", _open_plain)


def refuse_unreadable(file: IO[bytes], path: Path, form: Form) -> None:
    """Refuse a file whose beginning shows that it is not a log; the file's position stays.

    Args:
        file: the unpacked content, at its beginning.
        path: the file's name in messages.
        form: how the file is packed.

    Raises:
        LogError: if the file has a format that is not read, is not UTF-8, is binary, or does not
            have one JSON event per line; the message says how to convert it.
    """
    start = file.peek(START)[:START]  # type: ignore[attr-defined]  # all forms are buffered
    if what := foreign(start, unpacked=bool(form.tool)):
        msg = f"{str(path)!r} is {what}"
        raise LogError(msg)
    if _ARRAY.match(start):
        msg = (
            f"{str(path)!r} is one JSON array, but a log has one event per line: "
            "`jq -c '.[]' FILE > NEW` makes lines"
        )
        raise LogError(msg)
    if _SPREAD.match(start):
        msg = (
            f"{str(path)!r} spreads an event over lines, but a log has one event per line: "
            "`jq -c . FILE > NEW` makes lines"
        )
        raise LogError(msg)
    encoding = json.detect_encoding(start)
    if encoding not in {"utf-8", "utf-8-sig"} and _is_text(start, encoding):
        name = encoding.upper().replace("-LE", "LE").replace("-BE", "BE")  # the names of iconv
        convert = f"iconv -f {name} -t UTF-8"
        how = f"{form.tool} FILE | {convert}" if form.tool else f"{convert} FILE"
        msg = f"{str(path)!r} is {name}, but a log is UTF-8; convert it: `{how} > NEW`"
        raise LogError(msg)
    if b"\0" in start:
        msg = f"{str(path)!r} is binary, not JSON lines; `mainstem import` reads other formats"
        raise LogError(msg)


def _is_text(start: bytes, encoding: str) -> bool:
    try:
        # incremental, because the last character may be cut
        text = codecs.getincrementaldecoder(encoding)().decode(start)
    except UnicodeDecodeError:
        return False
    return bool(text) and all(letter >= " " or letter in "\t\r\n" for letter in text)


def _open_plain(path: Path) -> IO[bytes]:
    return path.open("rb")


def _open_gzip(path: Path) -> IO[bytes]:
    return gzip.open(path, "rb")  # type: ignore[return-value]  # has all methods that are used


def _zstd() -> Any:
    if sys.version_info >= (3, 14):
        from compression import zstd  # imported late, because a Python may be built without it
    else:
        from backports import zstd  # the same module for an older Python
    return zstd
