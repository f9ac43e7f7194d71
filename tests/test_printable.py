"""Output is one line for each entry, obeys no terminal commands, and is JSON for every reader."""

import json
import unicodedata
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mainstem.printable import as_cell, in_json, printable

ANY = st.text(st.characters(exclude_categories=()))  # includes lone surrogates
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | ANY,
    lambda inner: st.lists(inner) | st.dictionaries(ANY, inner),
    max_leaves=10,
)


@given(ANY)
def test_text_of_any_kind_is_one_line_without_commands(text: str) -> None:
    """No character is left that breaks a line, steers a terminal or cannot be encoded."""
    shown = printable(text)
    assert len(shown.splitlines()) <= 1
    assert not {"Cc", "Cs", "Zl", "Zp"} & {unicodedata.category(letter) for letter in shown}
    assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    shown.encode()


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_a_field_can_be_read_back(text: str) -> None:
    """An escaped character differs from the same escape in the original text."""
    assert text == as_cell(text).encode("latin-1", "backslashreplace").decode("unicode_escape")


@pytest.mark.parametrize(
    "text",
    [
        "tea\u3000cup",
        "caf\xe9\xa0latte",
        "👨\u200d👩\u200d👧",
        "\u0645\u06cc\u200c\u062e\u0648",
        "[red]:smile:",
    ],
)
def test_what_languages_need_stays(text: str) -> None:
    """Wide spaces, joined emoji, joiners of scripts and markup are printed unchanged."""
    assert text == printable(text) == as_cell(text)


@given(PLAIN)
def test_json_of_plain_values_comes_back(value: object) -> None:
    """A line of JSON returns what was put in, including whole numbers of any size."""
    line = in_json(value)
    assert (1, value) == (len(line.splitlines()), json.loads(line))


def test_json_has_no_word_that_is_none() -> None:
    """NaN and infinities become null at any depth; times, ids, decimals and keys become text."""
    nan = float("nan")
    value = {
        "a": nan,
        "b": (1.5, [float("inf")]),
        UUID(int=1): Decimal("1.50"),
        (1, "x"): b"cup\xff",
        None: {nan: 1},
    }
    strict = json.loads(in_json(value), parse_constant=pytest.fail)
    expected = {
        "a": None,
        "b": [1.5, [None]],
        "00000000-0000-0000-0000-000000000001": "1.50",
        '[1, "x"]': "cup\\xff",
        "null": {"null": 1},
    }
    assert expected == strict
