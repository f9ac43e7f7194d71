"""Finds the encoding of a file, unless the user gives it.

A file of mostly valid UTF-8 is read as UTF-8: rows with bad bytes are reported, the others are
right. A file that is not UTF-8 is read as Windows-1252, the encoding of old Western exports, and a
note says so. If it does not look Western, it is refused.
"""

import codecs
import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

from mainstem.errors import ImportSourceError
from mainstem.importers.notes import Notes, excerpt

__all__ = ["BAD", "HANDLER", "bytes_of", "encoding_of", "known", "register", "without_mark"]

HANDLER: Final = "mainstem-named"
"""Name of the error handler that turns a byte that cannot be decoded into a character of `BAD`."""
BAD: Final = re.compile("[\ud900-\ud9ff]")
"""Characters that no decoder produces: each stands for a byte that could not be decoded."""
_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CANDIDATES: Final = (
    "cp1250",
    "cp1251",
    "koi8_r",
    "gb18030",
    "shift_jis",
    "euc_kr",
    "big5",
    "cp1253",
    "cp1255",
    "cp1256",
)
# escapes by which ISO-2022 shifts to another alphabet; its bytes all look like ASCII
_SHIFTED: Final = re.compile(rb"\x1b\$[@ABC()]|\x1b\([IJ]")
_CHUNK: Final = 1 << 20
_BEYOND: Final = re.compile(rb"[\x80-\xff]+")
_WESTERN: Final = 2  # most letters beyond ASCII in a row in a Western text
_SHARE: Final = 3  # most bad lines for each line that has more than ASCII and is valid UTF-8


def known(name: str) -> str:
    """Return Python's name of an encoding.

    Raises:
        ImportSourceError: if Python does not know the encoding, or it does not encode text.

    Example:
        >>> known("Windows-1251")
        'cp1251'
    """
    try:
        found = codecs.lookup(name)
    except LookupError:
        found = None
    if (
        found is None
        or not getattr(found, "_is_text_encoding", True)
        or found.name in {"idna", "punycode", "undefined"}
    ):
        msg = (
            f"there is no encoding {name!r}; "
            "name one like utf-8, cp1252, cp1251, gb18030, shift_jis or utf-16"
        )
        raise ImportSourceError(msg)
    return "utf-8-sig" if found.name == "utf-8" else found.name


def bytes_of(text: str) -> bytes:
    r"""Encode text as UTF-8, and restore the bytes that could not be decoded.

    Example:
        >>> bytes_of("Schl\ud9fcssel")
        b'Schl\xfcssel'
    """
    parts = (
        bytes([ord(one) - 0xD900]) if BAD.match(one) else one.encode("utf-8", "replace")
        for one in text
    )
    return b"".join(parts)


def encoding_of(
    path: Path,
    opened: Callable[[], IO[bytes]],
    notes: Notes,
    *,
    given: str = "",
    broken: tuple[type[Exception], ...] = (),
) -> str:
    """Return the encoding to read a file with, together with the error handler `HANDLER`.

    Args:
        path: the file's name in messages.
        opened: opens the unpacked content of the file.
        notes: where a guess other than UTF-8 is reported.
        given: encoding that the user gave; empty to find it.
        broken: errors that reading a damaged archive raises; the content before them decides.

    Raises:
        ImportSourceError: if the file is neither UTF-8 nor looks Western, or if it is ISO-2022.
    """
    register()
    with opened() as file:
        start = file.read(4096)
    marked = next((name for mark, name in _MARKS if start.startswith(mark)), "")
    if given:
        name, mark = known(given), marked.removesuffix("-sig")
        if marked and name.removesuffix("-sig").split("-le")[0].split("-be")[0] != mark:
            notes.tell(f"read as {name}, though it begins with the byte order mark of {mark}")
        return marked if marked and name.startswith(mark) else name
    if marked:
        return marked
    if _SHIFTED.search(start):
        msg = (
            f"{str(path)!r} looks like ISO-2022, which shifts between alphabets; "
            "give --encoding iso2022_jp, iso2022_kr or iso2022_cn"
        )
        raise ImportSourceError(msg)
    if name := without_mark(start):
        notes.tell(
            f"read as {name.upper()}, judging by its zero bytes; --encoding names another encoding"
        )
        return name
    return "utf-8-sig" if _is_utf8(opened, broken) else _other(path, opened, broken, notes)


def register() -> None:
    """Register the error handler `HANDLER` with Python's codecs."""
    codecs.register_error(HANDLER, _as_bad)


def _as_bad(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(chr(0xD900 + byte) for byte in error.object[error.start : error.end]), error.end


def without_mark(start: bytes) -> str:
    """Recognize UTF-16 or UTF-32 without a byte order mark by its zero bytes.

    Returns:
        Python's name of the encoding; empty if the bytes are in neither.

    Example:
        >>> without_mark("sku".encode("utf-16-le")), without_mark(b"sku")
        ('utf-16-le', '')
    """
    name = json.detect_encoding(start[:4])
    if not name.startswith(("utf-16-", "utf-32-")):
        return ""
    text = start[: len(start) // 4 * 4].decode(name, "replace")
    return name if text and all(letter >= " " or letter in "\t\r\n" for letter in text) else ""


def _is_utf8(opened: Callable[[], IO[bytes]], broken: tuple[type[Exception], ...]) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with opened() as file, suppress(*broken):
        try:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def _other(
    path: Path, opened: Callable[[], IO[bytes]], broken: tuple[type[Exception], ...], notes: Notes
) -> str:
    """Choose between UTF-8 with bad lines and Windows-1252, or refuse the file."""
    good, bad, cut, western, runs, first = 0, 0, False, True, [0, 0], b""
    for line in _lines(opened, broken):
        cut = False
        try:
            line.decode()
            good += 1
        except UnicodeDecodeError as error:
            cut = error.reason == "unexpected end of data" and len(line) - error.start < 4
            bad, first = bad + 1, first or line
            western = western and _is_western(line)
            for run in _BEYOND.findall(line):
                runs[len(run) > _WESTERN] += len(run)
    if (bad == 1 and cut) or good * _SHARE >= bad:
        return "utf-8-sig"
    if western and runs[1] <= 0.2 * sum(runs):
        example = excerpt(" ".join(first.decode("cp1252").split()))
        notes.tell(
            f"read as Windows-1252, because it is not UTF-8; a line then reads {example!r}; "
            "--encoding names another encoding"
        )
        return "cp1252"
    found = ((name, _decoded(first, name)) for name in _CANDIDATES)
    guesses = ", ".join(
        f"as {name} {excerpt(text)!r}" for name, text in found if text and _is_worded(text)
    )
    msg = (
        f"{str(path)!r} is not UTF-8, and does not look like Windows-1252; give --encoding NAME. "
        f"The first such line is {first.strip()[:80]!r}{f'; it reads {guesses}' if guesses else ''}"
    )
    raise ImportSourceError(msg)


def _lines(opened: Callable[[], IO[bytes]], broken: tuple[type[Exception], ...]) -> Iterator[bytes]:
    """Yield the lines that hold more than ASCII; a carriage return ends a line, too."""
    with opened() as file, suppress(*broken):
        for line in file:
            if not line.isascii():
                yield from (part for part in line.split(b"\r") if not part.isascii())


def _is_western(line: bytes) -> bool:
    return bool(_decoded(line, "cp1252"))


def _decoded(line: bytes, name: str) -> str:
    try:
        return " ".join(line.decode(name).split())
    except UnicodeDecodeError:
        return ""


def _is_worded(text: str) -> bool:
    """Whether all characters beyond ASCII are letters, as nearly always after a right guess."""
    return all(sign.isascii() or sign.isalpha() for sign in text)
