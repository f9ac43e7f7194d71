"""Reads the cells of a table as texts or names (ids, kinds, labels), in any format of file.

A name is never the way in which some program happens to print a value: a whole number has neither
point nor exponent, a word like `NULL` counts as an empty cell, and a value that cannot be a name is
refused. Columns of whole numbers with gaps are often saved as floats, so `17850.0` is the name
`17850`. Texts are in NFC, so that texts that look the same are equal.
"""

import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from math import isfinite
from typing import Any, Final
from uuid import UUID

__all__ = [
    "Half",
    "NoNameError",
    "Single",
    "header_of",
    "is_nothing",
    "label_of",
    "name_of",
    "nothing_said",
    "shortened",
    "text_of",
    "worded",
]

_WHOLE: Final = re.compile(r"(-?\d+)\.0+")
_SCIENTIFIC: Final = re.compile(r"[+-]?(\d)(?:[.,](\d+))?[eE]([+-]?)(\d{1,9})")
_PRINTED: Final = re.compile(
    r"b'.*'|b\".*\"|\{['\"].*:.*\}|\[['\"{].*\]|\{ *\}|\[ *\]"
    r"|\[object Object\]|<.* object at 0x[0-9a-f]+>|System\.[\w.]+\[\]"
    r"|\[[BCDFIJLSZ][\w.;]*@[0-9a-f]{5,8}|\{\{.*\}\}|\$\{.*\}"
)
_INVISIBLE: Final = re.compile(
    "[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]"
    "|[\x00-\x08\x0e-\x1b\x7f]"
)
# removed from texts; joiners stay, because they mean something in some languages
_MARKS: Final = re.compile(
    "[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]"
)
_EXACT: Final = 2**53  # up to here a float holds every whole number
_EXACT_SINGLE: Final = 2**24
_EXACT_HALF: Final = 2**11
_SURE: Final = 15  # decimal digits that a float always keeps
_NOTHING: Final = re.compile(
    r"n(ull|one|il|an|at|\.?a\.?)|#?n/a|<(na|null|none|nil)>|\[null\]|undefined|\\n"
    r"|-{1,3}|[\u2013\u2014]|#(null!|value!|ref!|name\?|div/0!|num!)"
    r"|\((null|none|nil|empty|blank|not set|not provided)\)"
    r"|0{8}-0{4}-0{4}-0{4}-0{12}|#{3,}",
    re.IGNORECASE,
)
"""Words that exports write in place of an empty cell."""
_NEVER_TEXT: Final = frozenset(
    {
        "NULL",
        "null",
        "None",
        "NaN",
        "nan",
        "undefined",
        r"\N",
        "<NA>",
        "(not set)",
        "#N/A",
        "#NAME?",
    }
)
"""Those of these words that are never the text of an item."""


class NoNameError(ValueError):
    """A cell cannot serve as a name, so its row is left out and counted."""


class Single(float):
    """A float of four bytes, which holds every whole number up to 2**24 only."""

    __slots__ = ()


class Half(Single):
    """A float of two bytes, which holds every whole number up to 2**11 only."""

    __slots__ = ()


def text_of(value: Any) -> str:
    r"""Return the text of a cell in NFC with single blanks; empty if the cell is empty.

    Raises:
        ValueError: if the cell holds an object, or bytes that are not UTF-8.

    Example:
        >>> text_of("  T-LIGHT \n HOLDER"), text_of(None), text_of(float("nan"))
        ('T-LIGHT HOLDER', '', '')
        >>> text_of("cafe\u0301") == "caf\xe9"
        True
    """
    if isinstance(value, str):
        text = value
    elif value is None or value != value:  # noqa: PLR0124 - only NaN is not itself
        return ""
    else:
        text = _written(value)
    if not text.isascii():
        text = unicodedata.normalize("NFC", _MARKS.sub("", text))
    return " ".join(text.split())


def header_of(value: str) -> str:
    r"""Return the name of a column without its invisible characters.

    Example:
        >>> header_of(" Customer\xa0ID\u200b")
        'Customer ID'
    """
    return _INVISIBLE.sub("", text_of(value)).strip()


def label_of(value: Any) -> str:
    """Return the kind or label in a cell, which may be any word; empty if the cell is empty.

    Example:
        >>> label_of(1.0), label_of("None"), label_of(True)
        ('1', 'None', 'true')
    """
    text = str(value).lower() if isinstance(value, bool) else text_of(value)
    whole = _WHOLE.fullmatch(text)
    return whole[1] if whole else "" if text == "nan" else text


def name_of(value: Any) -> str:
    r"""Return the id in a cell; empty if the cell is empty or holds a word like `NULL`.

    Raises:
        NoNameError: if the cell is a number that has lost digits, a truth value, or a printed list,
            object or bytes.
        ValueError: if the cell is an object or a list, a part of which may be the id.

    Example:
        >>> name_of(17850.0), name_of("22423.00"), name_of("1.50")
        ('17850', '22423', '1.50')
        >>> name_of("NULL"), name_of(b"M-1"), name_of(1e15)
        ('', 'M-1', '1000000000000000')
    """
    if isinstance(value, bool):
        msg = "an id is true or false"
        raise NoNameError(msg)
    text = text_of(value)
    if _INVISIBLE.search(text):  # comes first: the rest may be a word like NULL, or end in a blank
        text = text_of(_INVISIBLE.sub("", text))
    if text[:1] == "0" and text.isdecimal():  # leading zeros are kept
        return text
    if is_nothing(text):
        return ""
    if whole := _WHOLE.fullmatch(text):
        return whole[1]
    if shortened(text):
        msg = "an id is a shortened number like 1.23457E+11, which lost digits; save ids as text"
        raise NoNameError(msg)
    if exact := _SCIENTIFIC.fullmatch(text) if "+" in text else None:
        return _digits_of(exact)
    if _PRINTED.fullmatch(text):
        msg = "an id is the printed form of bytes, a list or an object; save the id itself"
        raise NoNameError(msg)
    return text


def is_nothing(text: str) -> bool:
    """Whether a text is empty, or one of the words that exports write in place of an empty cell.

    Example:
        >>> [is_nothing(text) for text in ("", "NULL", "(not set)", "nobody")]
        [True, True, True, False]
    """
    return not text or (len(text) < 40 and _NOTHING.fullmatch(text) is not None)


def nothing_said(value: Any) -> str:
    """Return the word that a cell holds in place of nothing, to be appended to a reason.

    Returns:
        A remark in parentheses; empty if the cell holds no such word.

    Example:
        >>> nothing_said("NULL"), nothing_said(None)
        (" (it says 'NULL')", '')
    """
    text = text_of(value)
    return f" (it says {text!r})" if text not in {"", "nan"} and is_nothing(text) else ""


def shortened(text: str) -> bool:
    """Whether a text is a number from which a spreadsheet, or a float, has dropped digits.

    Example:
        >>> [shortened(text) for text in ("1.23457E+11", "1.234E+3", "12E5", "1e+16")]
        [True, False, False, True]
    """
    found = _SCIENTIFIC.fullmatch(text)
    # `12E5` may be the code of an item, because programs write the sign of an exponent
    if not found or not found[3]:
        return False
    digits = len(found[2] or "")
    return found[3] == "-" or int(found[4]) > digits or digits >= _SURE


def worded(text: str) -> str:
    """Return the text of an item; empty if exports write that text in place of nothing.

    Example:
        >>> worded("NULL"), worded("Nil by mouth")
        ('', 'Nil by mouth')
    """
    return "" if text in _NEVER_TEXT else text


def _digits_of(found: re.Match[str]) -> str:
    sign = "-" if found[0].startswith("-") else ""
    number = Decimal(f"{found[1]}.{found[2] or '0'}").scaleb(int(found[4]))
    return sign + format(number.normalize(), "f")


def _written(value: Any) -> str:
    """The text of a value that is not a string, as a person would write it."""
    if isinstance(value, int | UUID):
        return str(value)
    if isinstance(value, float):
        return _float_written(value)
    if isinstance(value, Decimal):
        whole = value == value.to_integral_value()
        return format(value.quantize(Decimal(1)) if whole and value.adjusted() < 28 else value, "f")
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError as error:
            msg = "an id or text is bytes that are not UTF-8; save it as text"
            raise NoNameError(msg) from error
    if isinstance(value, date):  # a datetime too: ISO 8601 with a blank
        return str(value)
    kind, part = type(value).__name__, "skus.0"
    if isinstance(value, Mapping):
        kind, part = f"object with {', '.join(map(repr, list(value)[:10]))}", "user.id"
    msg = f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"
    msg += f" is neither id nor text; name a part of it in the map, like '{part}'"
    raise ValueError(msg)


def _float_written(value: float) -> str:
    most = _EXACT
    if isinstance(value, Single):
        most = _EXACT_HALF if isinstance(value, Half) else _EXACT_SINGLE
    if not isfinite(value):
        msg = "an id or text is an infinite number"
        raise NoNameError(msg)
    exact = Decimal(repr(float(value)))
    long = len(exact.normalize().as_tuple().digits) > _SURE
    if abs(value) >= most and (isinstance(value, Single) or long):
        msg = (
            f"an id is a float beyond 2**{most.bit_length() - 1}, which lost its last digits; "
            "save ids as text or whole numbers"
        )
        raise NoNameError(msg)
    return format(exact, "f")
