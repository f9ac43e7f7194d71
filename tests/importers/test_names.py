"""Names and texts in cells: an id is never the printed form of a value."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mainstem.importers.names import (
    Half,
    NoNameError,
    Single,
    label_of,
    name_of,
    nothing_said,
    text_of,
    worded,
)

NAMES = {
    "whole": (17850, "17850"),
    "a blank before what cannot be seen": ("0 \x1b", "0"),
    "a word for nothing with what cannot be seen in it": ("NU\u200cLL", ""),
    "whole beyond 64 bits": (2**70, str(2**70)),
    "float": (17850.0, "17850"),
    "float at its end": (2.0**53 - 1, "9007199254740991"),
    "round float beyond": (1e16, "10000000000000000"),
    "small float": (1e-5, "0.00001"),
    "text of a decimal": ("22423.00", "22423"),
    "decimal": (Decimal("22423.00"), "22423"),
    "decimal of 38 digits": (
        Decimal(12345678901234567890123456789012345678),
        "12345678901234567890123456789012345678",
    ),
    "decimal with an exponent": (Decimal("1E+5"), "100000"),
    "fraction": (Decimal("1.50"), "1.50"),
    "version": ("1.10", "1.10"),
    "leading zeros": ("00123", "00123"),
    "only zeros": ("000", "000"),
    "code of an item": ("12E5", "12E5"),
    "all its digits": ("1.234E+3", "1234"),
    "bytes": (b"M-1", "M-1"),
    "uuid": (UUID(int=5), "00000000-0000-0000-0000-000000000005"),
    "moment": (datetime(2026, 5, 4, 10, tzinfo=UTC), "2026-05-04 10:00:00+00:00"),
    "guid in braces": ("{3F2504E0-4F89}", "{3F2504E0-4F89}"),
    "zero-width blank": ("u\u200b1\ufeff", "u1"),
    "blank that does not break": ("\u00a0u1\u00a0", "u1"),
    "whole letters": ("cafe\u0301", "caf\u00e9"),
    "a word that begins like one": ("Nilsson", "Nilsson"),
}
NOTHING = [
    "",
    " ",
    "NULL",
    "null",
    "None",
    r"\N",
    "N/A",
    "#N/A",
    "NA",
    "NaN",
    "nan",
    "NaT",
    "<NA>",
    "(not set)",
    "undefined",
]
NOTHING += [
    "nil",
    "-",
    "--",
    "\u2014",
    "(null)",
    "[NULL]",
    "########",
    "#VALUE!",
    "00000000-0000-0000-0000-000000000000",
    None,
    float("nan"),
]
LOST = {
    "spreadsheet": ("1.23457E+11", "a shortened number like 1.23457E+11"),
    "spreadsheet with a comma": ("1,23457E+11", "a shortened number"),
    "float as text": ("1.2345678901234568e+16", "a shortened number"),
    "short float as text": ("1e+16", "a shortened number"),
    "float": (12345678901234568.0, "a float beyond 2**53"),
    "float of two bytes": (Half(2050.0), "a float beyond 2**11"),
    "float of four bytes": (Single(16777218.0), "a float beyond 2**24"),
    "infinite": (float("inf"), "an infinite number"),
    "truth": (True, "true or false"),
    "printed bytes": ("b'M-1'", "the printed form"),
    "printed object": ("{'id': 5}", "the printed form"),
    "printed list": ("['A1']", "the printed form"),
    "printed empty list": ("[]", "the printed form"),
    "Java": ("[B@6d06d69c", "the printed form"),
    "C#": ("System.Byte[]", "the printed form"),
    "template": ("{{user_id}}", "the printed form"),
    "JavaScript": ("[object Object]", "the printed form"),
    "no text": (b"\xff\xfe", "bytes that are not UTF-8"),
}
NO_CELLS = {
    "object": (
        {"id": 5, "email": "x"},
        "an object with 'id', 'email' is neither id nor text; name a part of it",
    ),
    "list": (["A1"], "a list is neither id nor text; name a part of it in the map, like 'skus.0'"),
    "span": (timedelta(1), "a timedelta is neither id"),
}


@pytest.mark.parametrize(("value", "name"), NAMES.values(), ids=NAMES)
def test_a_name_is_the_same_however_it_was_saved(value: Any, name: str) -> None:
    """The name of a number has no point and no exponent, and a text loses invisible letters."""
    assert name == name_of(value)


@pytest.mark.parametrize("value", NOTHING)
def test_a_word_for_nothing_is_nothing(value: Any) -> None:
    """A word that exports write for a missing value gives no name, and the note can quote it."""
    assert "" == name_of(value)
    assert nothing_said(value) in {"", f" (it says {value!r})"}


@pytest.mark.parametrize(("value", "message"), LOST.values(), ids=LOST)
def test_a_name_whose_digits_are_lost_is_refused(value: Any, message: str) -> None:
    """A number that has lost digits is refused, because many shoppers would become one."""
    with pytest.raises(NoNameError, match=re.escape(message)):
        name_of(value)


@pytest.mark.parametrize(("value", "message"), NO_CELLS.values(), ids=NO_CELLS)
def test_an_object_is_no_name_and_no_text(value: Any, message: str) -> None:
    """An object or a list ends the import with what to write in the map."""
    for read in (name_of, text_of, label_of):
        with pytest.raises(ValueError, match=re.escape(message)) as told:
            read(value)
        assert not isinstance(told.value, NoNameError)


def test_labels_and_texts_may_be_any_word() -> None:
    """`none` is a valid label and query, but an item titled NULL has no title."""
    assert ("none", "true", "1") == (label_of("none"), label_of(True), label_of(1.0))
    assert ("", "Nil by mouth") == (worded("NULL"), worded("Nil by mouth"))
    assert text_of("cafe\u0301 cre\u0301me\u200b") == "caf\u00e9 cr\u00e9me"


@given(st.integers(-(2**53) + 1, 2**53 - 1))
def test_a_whole_number_has_one_name_in_every_format(number: int) -> None:
    """A whole number has the same id as an integer, a float, a decimal or text."""
    forms = [
        number,
        float(number),
        Decimal(number),
        Decimal(number).quantize(Decimal("0.00")),
        str(number),
        f"{number}.00",
    ]
    assert {str(number)} == {name_of(form) for form in forms}


@given(st.floats())
def test_a_float_is_a_name_without_an_exponent_or_none(number: float) -> None:
    """The name of a float has no exponent and reads back as the same number."""
    try:
        name = name_of(number)
    except NoNameError:
        return
    assert re.fullmatch(r"(-?\d+(\.\d+)?)?", name)
    assert not name or float(name) == number


@given(
    st.one_of(
        st.text(),
        st.binary(max_size=20),
        st.dictionaries(st.text(), st.integers()),
        st.lists(st.text()),
    )
)
def test_no_name_is_what_python_prints(value: Any) -> None:
    """Bytes, objects and lists give a text that they hold, or an error."""
    try:
        name = name_of(value)
    except ValueError:
        return
    assert isinstance(value, str | bytes)
    assert name == name_of(name)
