"""Encodings of tables: the guess is reported, and a bad row costs only itself."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mainstem.errors import ImportSourceError
from mainstem.importers.notes import Notes
from mainstem.importers.tables import read_rows

COLUMNS = ("sku", "name", "end")
TEA = "sku,name,end\nA1,Tasse für Tee ☕,x\n"
ROW = {"sku": "A1", "name": "Tasse für Tee ☕", "end": "x"}
MARKED = ("utf-8", "utf-8-sig", "utf-16", "utf-32")


def read(path: Path, content: bytes, encoding: str = "") -> tuple[list[dict[str, str]], Notes]:
    """Return the rows, and the notes on them."""
    path.write_bytes(content)
    notes = Notes(Counter())
    return [dict(row) for row in read_rows(path, COLUMNS, encoding=encoding, notes=notes)], notes


@pytest.mark.parametrize("encoding", MARKED)
def test_a_file_that_says_its_encoding_needs_no_word(encoding: str, tmp_path: Path) -> None:
    """UTF-8, and a file that begins with a byte order mark, are read without a note."""
    rows, notes = read(tmp_path / "table", TEA.encode(encoding))
    assert ([ROW], []) == (rows, notes.sentences)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le"])
def test_zero_bytes_tell_an_encoding_without_a_mark(encoding: str, tmp_path: Path) -> None:
    """Without a mark the positions of zero bytes give the encoding, which is reported."""
    rows, notes = read(tmp_path / "table", TEA.encode(encoding))
    assert [ROW] == rows
    assert [
        f"read as {encoding.upper()}, judging by its zero bytes; --encoding names another encoding"
    ] == notes.sentences


@pytest.mark.parametrize("encoding", ["iso2022_jp", "iso2022_kr"])
def test_an_encoding_that_looks_like_ascii_is_refused_until_it_is_named(
    encoding: str, tmp_path: Path
) -> None:
    """A file with escape sequences that change the alphabet needs a named encoding."""
    content = "sku,name,end\nA1,\u5375,x\n".encode(encoding)
    with pytest.raises(ImportSourceError, match="shifts between alphabets"):
        read(tmp_path / "table", content)
    assert "\u5375" == read(tmp_path / "table", content, encoding)[0][0]["name"]


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("Schl\ufffdssel", "a letter that was lost"),
        ("Schl\u00c3\u00bcssel \u00e2\u20ac\u201c x", "read as Windows-1252 before"),
    ],
)
def test_what_another_program_has_spoilt_is_told(name: str, what: str, tmp_path: Path) -> None:
    """Text that another program has damaged is read as it is and reported; sound text is not."""
    content = f"sku,name,end\nA1,{name},x\nA2,\u00c4\u00df \u00c2\u00bd,x\n".encode()
    rows, notes = read(tmp_path / "table", content)
    assert (name, 1) == (rows[0]["name"], len(notes.sentences))
    assert what in notes.sentences[0]


@pytest.mark.parametrize("bad", [b"A2,Schl\xfcssel,y\n", b"A2,\xe2\x98,y\n", b"\xff,Mug,y\n"])
def test_one_bad_row_costs_itself_only(bad: bytes, tmp_path: Path) -> None:
    """A row that is not UTF-8 is reported with its bytes, and the rows around it are read."""
    path = tmp_path / "table"
    rows, notes = read(path, TEA.encode() + bad + b"A3,Bowl,z\n")
    assert [ROW, {"sku": "A3", "name": "Bowl", "end": "z"}] == rows
    assert {"not in the encoding of the file": 1} == notes.left_out
    (named,) = notes.rows["not in the encoding of the file"]
    assert f"row 2 of {str(path)!r} (line 3): {bad.rstrip()!r}" == named


def test_a_bad_line_of_json_costs_itself_only(tmp_path: Path) -> None:
    """A bad line of JSON lines is left out and reported by its number."""
    line = '{"sku":"A1","name":"für","end":"x"}\n'
    rows, notes = read(tmp_path / "table", line.encode() + line.encode("latin-1") + line.encode())
    assert (2, {"not in the encoding of the file": 1}) == (len(rows), notes.left_out)
    assert notes.rows["not in the encoding of the file"][0].startswith("line 2 of ")


def test_old_western_exports_are_read_and_told(tmp_path: Path) -> None:
    """A file that is not UTF-8 and looks Western is read as Windows-1252, which is reported."""
    content = "sku,name,end\nA1,Schlüssel für £2,x\n".encode("cp1252")
    rows, notes = read(tmp_path / "table", content)
    assert ["Schlüssel für £2"] == [row["name"] for row in rows]
    sentence = (
        "read as Windows-1252, because it is not UTF-8; a line then reads "
        "'A1,Schlüssel für £2,x'; --encoding names another encoding"
    )
    assert [sentence] == notes.sentences


OTHERS = {
    "cp1251": "Красная чашка",
    "koi8_r": "Красная чашка",
    "gb18030": "红色的杯子",
    "shift_jis": "赤いマグ表",
    "cp1253": "Κόκκινη κούπα",
    "cp1250": "żółty kubek",
}


@pytest.mark.parametrize("encoding", OTHERS)
def test_other_encodings_are_refused_until_they_are_named(encoding: str, tmp_path: Path) -> None:
    """Other encodings are refused with a line as each would read, until --encoding names one."""
    content = f"sku,name,end\nA1,{OTHERS[encoding]},x\n".encode(encoding)
    with pytest.raises(
        ImportSourceError,
        match="is not UTF-8, and does not look like Windows-1252; give --encoding",
    ) as told:
        read(tmp_path / "table", content)
    assert f"as {encoding} 'A1,{OTHERS[encoding]},x'" in str(told.value)
    rows, notes = read(tmp_path / "table", content, encoding)
    assert ([OTHERS[encoding]], []) == ([row["name"] for row in rows], notes.sentences)


@pytest.mark.parametrize("encoding", ["klingon", "rot13", "idna", ""])
def test_an_encoding_that_is_none_is_told(encoding: str, tmp_path: Path) -> None:
    """An unknown encoding is an error, and an empty name means that the file is examined."""
    if not encoding:
        assert [ROW] == read(tmp_path / "table", TEA.encode(), encoding)[0]
        return
    with pytest.raises(ImportSourceError, match=f"there is no encoding '{encoding}'"):
        read(tmp_path / "table", TEA.encode(), encoding)


def test_a_row_with_zero_bytes_is_left_out_and_named(tmp_path: Path) -> None:
    """A block of zero bytes, never written by the disk, counts as one bad row."""
    rows, notes = read(tmp_path / "table", TEA.encode() + b"\0" * 300 + b"\n" + b"A3,Bowl,z\n")
    assert (2, {"with a zero byte in it": 1}) == (len(rows), notes.left_out)


def test_without_anybody_to_tell_a_bad_row_is_an_error(tmp_path: Path) -> None:
    """A caller that passes no notes gets all rows or an error."""
    (tmp_path / "table").write_bytes(TEA.encode() + b"A2,\xfc,y\n")
    with pytest.raises(ImportSourceError, match=r"row 2 of .* is not in the encoding of the file"):
        list(read_rows(tmp_path / "table", COLUMNS))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(encoding=st.sampled_from(MARKED), form=st.sampled_from(["csv", "json"]), data=st.data())
def test_a_file_cut_at_any_byte_gives_right_rows_or_a_word(
    encoding: str, form: str, data: st.DataObject, tmp_path: Path
) -> None:
    """In a file that is cut off, every row is right but perhaps the last, which is reported."""
    name = data.draw(st.text("aé☕🍵", min_size=1, max_size=4))
    csv, json = f"A1,{name},x\n", f'{{"sku":"A1","name":"{name}","end":"x"}}\n'
    whole = (csv if form == "csv" else json) * 3
    content = (f"sku,name,end\n{whole}" if form == "csv" else whole).encode(encoding)
    cut = content[: data.draw(st.integers(0, len(content)))]
    right = {"sku": "A1", "name": name, "end": "x"}
    try:
        rows, notes = read(tmp_path / "table", cut)
    except ImportSourceError:
        return
    assert [right] * (len(rows) - 1) == rows[:-1]
    assert not rows or rows[-1] in [right, {**right, "end": ""}]
    assert sum(notes.left_out.values()) <= 1
