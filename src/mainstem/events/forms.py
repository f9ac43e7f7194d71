"""The forms that a file of a log may have, told by its first bytes; and files that look like a log and are none."""

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

_ARRAY: Final = re.compile(
    rb"(\xef\xbb\xbf)?\s*\[\s*\{\s*\""
)  # of objects; any other line is refused by itself
_SPREAD: Final = re.compile(rb"(\xef\xbb\xbf)?\s*\{[ \t]*\r?\n\s*\"[^\"\r\n]*\"[ \t]*:")
_ZSTD: Final = re.compile(
    rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"
)  # a frame; or one to skip, with which pzstd begins


@dataclass(frozen=True)
class Form:
    """How a file is packed.

    Attributes:
        name: of the form.
        tool: the program that unpacks it; empty where there is nothing to unpack.
        open: opens it for reading what is in it.
        errors: what reading raises where the packing is broken.
    """

    name: str
    tool: str
    open: Callable[[Path], IO[bytes]]
    errors: tuple[type[Exception], ...] = ()


def form_of(path: Path) -> Form:
    """How a file is packed: `gzip`, `zstd`, `Parquet` or `plain`.

    Raises:
        LogError: if it cannot be opened.
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
    """Look at the beginning of what a file holds, without reading on.

    Raises:
        LogError: if it is text in another encoding than UTF-8 (which, and how to convert it), or no text at all.
    """
    start = file.peek(START)[:START]  # type: ignore[attr-defined]  # a buffered file, plain or unpacked
    if what := foreign(start, unpacked=bool(form.tool)):
        msg = f"{str(path)!r} is {what}"
        raise LogError(msg)
    if _ARRAY.match(start):
        msg = f"{str(path)!r} is one JSON array, and a log has one event a line: `jq -c '.[]' FILE > NEW` makes lines"
        raise LogError(msg)
    if _SPREAD.match(start):
        msg = f"{str(path)!r} spreads an event over lines, and a log has one event a line: `jq -c . FILE > NEW` makes them"
        raise LogError(msg)
    if (encoding := json.detect_encoding(start)) not in {"utf-8", "utf-8-sig"} and _is_text(
        start, encoding
    ):
        name = encoding.upper().replace("-LE", "LE").replace("-BE", "BE")  # as iconv has them
        convert = f"iconv -f {name} -t UTF-8"
        how = f"{form.tool} FILE | {convert}" if form.tool else f"{convert} FILE"
        msg = f"{str(path)!r} is {name}, and a log is UTF-8; convert it: `{how} > NEW`"
        raise LogError(msg)
    if b"\0" in start:
        msg = (
            f"{str(path)!r} is a binary file, not JSON lines; `mainstem import` reads other formats"
        )
        raise LogError(msg)


def _is_text(start: bytes, encoding: str) -> bool:
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(
            start
        )  # the last character may be cut
    except UnicodeDecodeError:
        return False
    return bool(text) and all(letter >= " " or letter in "\t\r\n" for letter in text)


def _open_plain(path: Path) -> IO[bytes]:
    return path.open("rb")


def _open_gzip(path: Path) -> IO[bytes]:
    return gzip.open(path, "rb")  # type: ignore[return-value]  # a file of bytes in all that is used of it


def _zstd() -> Any:
    if sys.version_info >= (3, 14):
        from compression import zstd  # a Python may be built without it
    else:
        from backports import zstd  # the same module for an older Python
    return zstd
