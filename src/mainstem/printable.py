"""Make text safe to print, and values safe to write as JSON.

Titles, ids, file names and messages of other programs may hold any character. Characters that are
invisible and that programs obey are escaped: control characters, line separators, marks of writing
direction, and lone surrogates. So a line stays one line, and no text controls the terminal. Letters
of all languages, wide spaces and joined emoji stay as they are.
"""

import json
import math
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

__all__ = ["as_cell", "in_json", "number_of", "printable"]

_HIDDEN: Final = {"Cc", "Cf", "Cs", "Zl", "Zp"}
# joiners and marks that scripts and emoji need
_KEPT: Final = "\u00ad\u061c\u200c\u200d\u200e\u200f"
_SHORT: Final = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", "\0": "\\0"}


def printable(text: str) -> str:
    r"""Escape each character that would break the line, be invisible, or control a terminal.

    Example:
        >>> print(printable("red\tcup\n\x1b[31m"))
        red\tcup\n\x1b[31m
    """
    if text.isprintable():
        return text
    return "".join(_escaped(letter) if _is_hidden(letter) else letter for letter in text)


def number_of(count: int, noun: str, plural: str = "") -> str:
    """Write a count with its noun, which is `noun` plus s unless `plural` is given.

    Example:
        >>> number_of(1, "row"), number_of(2_000, "row"), number_of(0, "canary", "canaries")
        ('1 row', '2,000 rows', '0 canaries')
    """
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


def as_cell(value: Any) -> str:
    r"""Write a value as a field of a table.

    Floats have four digits, None is `-`. Backslashes are doubled, so that an escape in the output
    differs from the same characters in the value.

    Example:
        >>> [as_cell(value) for value in (None, 1.23456, b"\xff", "C:\\new\n")]
        ['-', '1.235', '\\xff', 'C:\\\\new\\n']
    """
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, bytes):
        parts = _decoded(value)
        return "".join(as_cell(one) if isinstance(one, str) else f"\\x{one:02x}" for one in parts)
    if isinstance(value, str):
        return printable(value.replace("\\", "\\\\"))
    return printable(str(value))


def in_json(value: Any) -> str:
    """Write a value as one line of JSON that every reader takes.

    NaN and infinities become null; a value of a type that JSON lacks becomes text.

    Example:
        >>> in_json({"a": float("nan"), "b": [1, b"cup", 2**70], 3: ({"c": float("inf")},)})
        '{"a": null, "b": [1, "cup", 1180591620717411303424], "3": [{"c": null}]}'
    """
    return json.dumps(_plain(value), allow_nan=False)


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, bytes):
        return value.decode(errors="backslashreplace")
    if isinstance(value, Mapping):
        return {_key(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(one) for one in value]
    return str(value)


def _key(key: Any) -> str:
    plain = _plain(key)
    return plain if isinstance(plain, str) else json.dumps(plain, allow_nan=False)


def _decoded(value: bytes) -> list[str | int]:
    """The characters of bytes in UTF-8, with a number for each byte that is not UTF-8."""
    letters = value.decode(errors="surrogateescape")
    return [
        ord(letter) - 0xDC00 if "\udc80" <= letter <= "\udcff" else letter for letter in letters
    ]


def _is_hidden(letter: str) -> bool:
    return unicodedata.category(letter) in _HIDDEN and letter not in _KEPT


def _escaped(letter: str) -> str:
    code = ord(letter)
    if letter in _SHORT:
        return _SHORT[letter]
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
