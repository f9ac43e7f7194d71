"""JSON lines as tables: columns in any line, dotted paths, and refusal of other layouts."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mainstem.errors import ImportSourceError
from mainstem.importers.names import name_of
from mainstem.importers.notes import Notes
from mainstem.importers.tables import read_rows

ROW = {"sku": "A1", "name": "Mug"}


def read(path: Path, text: str, *columns: str) -> list[dict[str, Any]]:
    """Return the rows of JSON lines."""
    path.write_text(text)
    return [dict(row) for row in read_rows(path, columns or tuple(ROW), notes=Notes())]


def lines(*rows: Any) -> str:
    """Write one JSON value on each line."""
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def test_a_column_may_appear_in_any_line(tmp_path: Path) -> None:
    """A column that a line lacks is empty there, even if that line is the first."""
    assert [{"sku": None, "name": "Mug"}, {"sku": "A1", "name": None}] == read(
        tmp_path / "t", lines({"name": "Mug"}, {"sku": "A1"})
    )


def test_a_part_is_named_by_a_dotted_path(tmp_path: Path) -> None:
    """A dotted path names keys and list places; a key that contains the dot wins over the path."""
    rows = [{"user": {"id": 5}, "skus": ["A1"], "a.b": 1}, {"user": None, "skus": []}]
    (first, second) = read(tmp_path / "t", lines(*rows), "user.id", "skus.0", "a.b")
    assert {"user.id": 5, "skus.0": "A1", "a.b": 1} == first
    assert {"user.id": None, "skus.0": None, "a.b": None} == second


def test_what_python_writes_for_no_number_is_empty(tmp_path: Path) -> None:
    """NaN, which is not JSON but is common in files, is read as empty."""
    assert "" == name_of(read(tmp_path / "t", '{"sku": NaN, "name": "Mug"}\n')[0]["sku"])


REFUSED = {
    "nowhere": (
        lines({"sku": 1}, {"sku": 2, "more": 3}),
        "lacks the columns ['name']; it has ['sku', 'more']",
    ),
    "array": (
        json.dumps([ROW]),
        "is one JSON array, but must be lines of one object each: `jq -c '.[]' FILE > NEW`",
    ),
    "array over lines": (
        json.dumps([ROW], indent=1),
        "is one JSON array over several lines, but must be lines",
    ),
    "array after a blank line": ("\n" + json.dumps([ROW]), "is one JSON array"),
    "object over lines": (
        json.dumps(ROW, indent=1),
        "line 1 of 'T' is not a JSON object (Input data was truncated); an object",
    ),
    "side by side": (
        json.dumps(ROW) * 2,
        "write one object per line: `jq -c . FILE > NEW` makes lines",
    ),
    "no object": (lines(ROW, [1]), "line 2 of 'T' is not a JSON object"),
    "cut": (lines(ROW) + json.dumps(ROW)[:-4], "line 2 of 'T' is not a JSON object"),
    "key twice": (
        '{"sku": "A1", "name": "Mug", "sku": "A2"}',
        "line 1 of 'T' has 2 keys 'sku'; rename or remove",
    ),
    "number out of range": (
        '{"sku": 1e400, "name": "Mug"}',
        "line 1 of 'T' is not a JSON object (Number out of range",
    ),
    "deep": (
        '{"sku": "A1", "name": ' + "[" * 100_000,
        "line 1 of 'T' is nested too deeply to be an event",
    ),
    "half a pair": ('{"sku": "\\ud800", "name": "Mug"}', "line 1 of 'T' is not a JSON object"),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_json_line_is_told_with_what_to_do(
    text: str, message: str, tmp_path: Path
) -> None:
    """Each layout that is not JSON lines has its own error, with the line and what to do."""
    with pytest.raises(
        ImportSourceError, match=re.escape(message.replace("'T'", repr(str(tmp_path / "t"))))
    ):
        read(tmp_path / "t", text)


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=st.lists(
        st.fixed_dictionaries(
            {"sku": st.one_of(st.text(max_size=5), st.integers()), "name": st.text(max_size=5)}
        )
    )
)
def test_what_json_writes_comes_back(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    """Texts and 64-bit numbers come back as written, and rows with zero bytes are left out."""
    rows = [row for row in rows if not isinstance(row["sku"], int) or abs(row["sku"]) < 2**63]
    clean = [row for row in rows if not any("\0" in str(cell) for cell in row.values())]
    assert [*clean, ROW] == read(tmp_path / "t", lines(*rows, ROW))


def test_a_column_may_be_written_in_parts_or_whole(tmp_path: Path) -> None:
    """A column is found whether its letters are composed or decomposed."""
    whole, parts = "gr\u00f6\u00dfe", "gro\u0308\u00dfe"
    for inside, wanted in ((whole, parts), (parts, whole), (parts, parts)):
        assert [{wanted: 5}] == read(tmp_path / "t", lines({inside: 5}), wanted)
        assert [{wanted: "5"}] == read(tmp_path / "t", f"{inside}\n5\n", wanted)
