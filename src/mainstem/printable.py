"""What goes out: text of which a line stays a line and a terminal is not steered, and JSON that every reader takes.

Titles, ids, file names and messages of others come from outside, and may hold anything. What gives way to its escape is
what nobody sees and programs obey: control characters, separators of lines, directions of writing, lone surrogates.
Letters of all languages, wide spaces and joined emoji stay as they are.
"""

import json
import math
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

__all__ = ["as_cell", "in_json", "printable"]

_HIDDEN: Final = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_KEPT: Final = "\u00ad\u061c\u200c\u200d\u200e\u200f"  # joiners and marks that scripts and emoji are written with
_SHORT: Final = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", "\0": "\\0"}


def printable(text: str) -> str:
    r"""Text in one line, with an escape for each letter that would break it, hide in it or steer a terminal.

    Example:
        >>> print(printable("red\tcup\n\x1b[31m"))
        red\tcup\n\x1b[31m
    """
    if text.isprintable():
        return text
    return "".join(_escaped(letter) if _is_hidden(letter) else letter for letter in text)


def as_cell(value: Any) -> str:
    r"""A value as a field of a table: a backslash is doubled, so that what is escaped can be told from what was so.

    Example:
        >>> [as_cell(value) for value in (None, 1.23456, b"\xff", "C:\\new\n")]
        ['-', '1.235', '\\xff', 'C:\\\\new\\n']
    """
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, bytes):
        return "".join(
            as_cell(part) if isinstance(part, str) else f"\\x{part:02x}" for part in _decoded(value)
        )
    if isinstance(value, str):
        return printable(value.replace("\\", "\\\\"))
    return printable(str(value))


def in_json(value: Any) -> str:
    """A value as one line of JSON: a figure that is none (NaN, an infinity) is null, what JSON has no word for is text.

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
    """Text, and between it the bytes that are none."""
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
    return (
        f"\\x{code:02x}"
        if code < 0x100
        else f"\\u{code:04x}"
        if code < 0x10000
        else f"\\U{code:08x}"
    )
