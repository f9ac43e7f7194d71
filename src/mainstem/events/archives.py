"""Recognizes files in formats that mainstem does not read, by their first bytes."""

import re
from typing import Final

__all__ = ["START", "foreign"]

START: Final = 4096
"""Number of bytes that are inspected before a file is read."""
_EXCEL: Final = re.compile(rb"xl/|\[Content_Types\]\.xml|workbook\.xml|mimetype")
_PACKED: Final = (
    (re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)", re.DOTALL), "bzip2", "bzcat FILE > NEW"),
    (re.compile(rb"\xfd7zXZ\0"), "xz", "xzcat FILE > NEW"),
    (re.compile(rb"\x5d\0\0.\0?", re.DOTALL), "lzma", "xzcat FILE > NEW"),
    (re.compile(rb"LZIP\x01"), "lzip", "lzip -dc FILE > NEW"),
    (re.compile(rb"(\x04\x22|\x02\x21)\x4d\x18|\x02\x21\x4c\x18"), "lz4", "lz4cat FILE > NEW"),
    (re.compile(rb"\x1f\x9d|\x1f\xa0"), "compress", "zcat FILE > NEW"),
    (re.compile(rb"\x89LZO"), "lzop", "lzop -dc FILE > NEW"),
    (re.compile(rb"\xff\x06\0\0sNaPpY"), "snappy", "snzip -dc FILE > NEW"),
    (re.compile(rb"7z\xbc\xaf\x27\x1c"), "7z", "7z e -so FILE > NEW"),
    (re.compile(rb"Rar!\x1a\x07"), "rar", "unrar p -inul FILE > NEW"),
    (re.compile(rb"PK(\x03\x04|\x05\x06|\x07\x08)"), "zip", "unzip -p FILE > NEW"),
    (re.compile(rb".{257}ustar", re.DOTALL), "tar", "tar -xOf FILE > NEW"),
    (re.compile(rb"\x1f\x8b"), "gzip", "zcat FILE > NEW"),
    (re.compile(rb"\x28\xb5\x2f\xfd"), "zstd", "zstdcat FILE > NEW"),
)
_OTHER_FORMATS: Final = (
    (re.compile(rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "an Excel file (.xls)"),
    (re.compile(rb"SQLite format 3\0"), "an SQLite database"),
    (re.compile(rb"Obj\x01"), "an Avro file"),
    (re.compile(rb"ORC(?=.*\0)", re.DOTALL), "an ORC file"),
    (re.compile(rb"SEQ[\x04-\x06]"), "a Hadoop sequence file"),
    (re.compile(rb"(ARROW1|FEA1)"), "an Arrow file"),
    (re.compile(rb"PARE"), "an encrypted Parquet file"),
    (re.compile(rb"PAR1"), "a Parquet file"),
    (re.compile(rb"\x89HDF\r\n"), "an HDF5 file"),
    (re.compile(rb"\x93NUMPY"), "a NumPy file"),
    (re.compile(rb"%PDF-"), "a PDF"),
    (re.compile(rb"(?i)\s*<(!doctype|html|\?xml)"), "a page of HTML or XML"),
)


def foreign(start: bytes, *, unpacked: bool = False) -> str:
    r"""Say which unreadable format a file has.

    Args:
        start: the first `START` bytes of the file, or of its unpacked content.
        unpacked: whether the file was unpacked; a second packing inside is not read.

    Returns:
        The format and what to do, to complete the sentence "the file is ..."; empty if the format
        is not known to be unreadable.

    Example:
        >>> foreign(b"BZh91AY&SY..."), foreign(b"sku,name\n")
        ('packed by bzip2; unpack it: `bzcat FILE > NEW`', '')
    """
    for magic, name, how in _PACKED:
        if not magic.match(start) or (name in {"gzip", "zstd"} and not unpacked):
            continue
        if name == "zip" and _EXCEL.search(start):
            return "a spreadsheet (such as .xlsx) or office file; save the sheet as CSV (UTF-8)"
        return f"packed by {name}{' once more' if unpacked else ''}; unpack it: `{how}`"
    for magic, name in _OTHER_FORMATS:
        if magic.match(start) and (name != "a Parquet file" or unpacked):
            if name == "a Parquet file":
                return f"{name} within another packing; unpack it, because Parquet packs itself"
            return f"{name}; save it as CSV, JSON lines or Parquet"
    return ""
