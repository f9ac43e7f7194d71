"""Packed files and files of other programs: each error names the format and what to do."""

import bz2
import gzip
import io
import lzma
import sqlite3
import tarfile
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import feather, orc

from mainstem.errors import ImportSourceError
from mainstem.events.archives import foreign
from mainstem.importers.tables import read_rows

CSV = b"sku,name\nA1,Mug\n"


def zipped(name: str) -> bytes:
    """Return a zip file with one member."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(name, CSV)
    return made.getvalue()


def tarred() -> bytes:
    """Return a tar file with one member."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        member = tarfile.TarInfo("a.csv")
        member.size = len(CSV)
        archive.addfile(member, io.BytesIO(CSV))
    return made.getvalue()


def arrow(write: object) -> bytes:
    """Write a small table with one of Arrow's writers."""
    made = io.BytesIO()
    write(pa.table({"sku": ["A1"] * 9}), made)  # type: ignore[operator]
    return made.getvalue()


PACKED = {
    "bzip2": bz2.compress(CSV),
    "xz": lzma.compress(CSV),
    "lzma": lzma.compress(CSV, lzma.FORMAT_ALONE),
    "zip": zipped("a.csv"),
    "tar": tarred(),
    "lz4": b"\x04\x22\x4d\x18\x60\x40\x82",
    "7z": b"7z\xbc\xaf\x27\x1c\0\4",
    "rar": b"Rar!\x1a\x07\x01\0",
    "snappy": b"\xff\x06\0\0sNaPpY\0",
}
LAID_OUT = {
    "a spreadsheet (such as .xlsx) or office file": zipped("[Content_Types].xml"),
    "an Excel file (.xls)": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0",
    "an Avro file": b"Obj\x01\x04\x14avro.codec",
    "an ORC file": arrow(orc.write_table),
    "an Arrow file": arrow(feather.write_feather),
    "an SQLite database": b"SQLite format 3\0\x10\0",
    "a page of HTML or XML": b"\n<!DOCTYPE html><html>",
}


@pytest.mark.parametrize("name", PACKED)
def test_a_packed_file_is_told_with_what_unpacks_it(name: str, tmp_path: Path) -> None:
    """A packing is known by its first bytes, also within gzip, and the error says how to unpack."""
    (tmp_path / "a.csv").write_bytes(PACKED[name])
    with pytest.raises(
        ImportSourceError, match=f"a.csv' is packed by {name}; unpack it: `.* FILE > NEW`$"
    ):
        list(read_rows(tmp_path / "a.csv", ["sku"]))
    (tmp_path / "a.csv").write_bytes(gzip.compress(PACKED[name]))
    with pytest.raises(ImportSourceError, match=f"a.csv' is packed by {name} once more; unpack it"):
        list(read_rows(tmp_path / "a.csv", ["sku"]))


@pytest.mark.parametrize("name", LAID_OUT)
def test_a_file_of_another_program_is_told(name: str, tmp_path: Path) -> None:
    """The error names the format and the format to save it as."""
    (tmp_path / "a.csv").write_bytes(LAID_OUT[name])
    with pytest.raises(ImportSourceError) as told:
        list(read_rows(tmp_path / "a.csv", ["sku"]))
    assert f"a.csv' is {name}; save " in str(told.value)


def test_a_real_database_is_known(tmp_path: Path) -> None:
    """A database that SQLite itself has written is recognised."""
    with sqlite3.connect(tmp_path / "a.db") as base:
        base.execute("CREATE TABLE a (b)")
    base.close()
    assert foreign((tmp_path / "a.db").read_bytes()).startswith("an SQLite database")


@given(st.text(st.characters(codec="utf-8", min_codepoint=32), max_size=40))
def test_a_text_is_no_archive(header: str) -> None:
    """A text is not taken for an archive, even if it begins with `ORC`, `SEQ` or `BZh`."""
    for begun in ("ORC,", "SEQ,", "BZh,", "PAR,", ""):
        text = f"{begun}{header}"
        assert "" == foreign(text.encode()) or text.lstrip().lower().startswith(
            ("<!doctype", "<html", "<?xml")
        )
