"""Logs on disk: whole, unusual, broken and missing files."""

import bz2
import gzip
import io
import os
from pathlib import Path

import pytest

from mainstem.errors import LogError
from mainstem.events import Refusal, Tick, decode, read_lines
from mainstem.events.logs import LONGEST_LINE, spool
from mainstem.ids import number_of
from tests.importers.packing import zstd

TICK = b'{"type":"tick","event_timestamp":5}'

GOOD = {
    "plain": b"one\ntwo\n",
    "no break at the end": b"one\ntwo",
    "gzip": gzip.compress(b"one\ntwo\n"),
    "gzip in two members": gzip.compress(b"one\n") + gzip.compress(b"two\n"),
    "byte order mark": b"\xef\xbb\xbfone\ntwo\n",
    "byte order mark in gzip": gzip.compress(b"\xef\xbb\xbfone\ntwo\n"),
    "Windows line breaks": b"one\r\ntwo\r\n",
    "zstd": zstd.compress(b"one\ntwo\n"),
    "zstd in two frames": zstd.compress(b"one\n") + zstd.compress(b"two\n"),
    "zstd after a frame to skip": b"\x50\x2a\x4d\x18\x02\x00\x00\x00no"
    + zstd.compress(b"one\ntwo\n"),
    "byte order mark in zstd": zstd.compress(b"\xef\xbb\xbfone\ntwo\n"),
}

BAD = {
    "empty": (
        b"",
        "is empty; it should hold one JSON event per line (`mainstem import` makes a log)",
    ),
    "empty gzip": (
        gzip.compress(b""),
        "is empty; it should hold one JSON event per line (`mainstem import` makes a log)",
    ),
    "binary": (
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
        "is binary, not JSON lines; `mainstem import` reads other formats",
    ),
    "binary in gzip": (
        gzip.compress(b"\x89PNG\x00\x00"),
        "not JSON lines; `mainstem import` reads other formats",
    ),
    "Parquet in gzip": (
        gzip.compress(b"PAR1\x00\x00"),
        "is a Parquet file within another packing; unpack it",
    ),
    "bzip2": (bz2.compress(b"one\ntwo\n"), "is packed by bzip2; unpack it: `bzcat FILE > NEW`"),
    "JSON array": (
        b'[{"type": "tick", "event_timestamp": 5}]',
        "is one JSON array, but a log has one event per line: `jq -c '.[]'",
    ),
    "JSON over lines": (
        b'{\n  "type": "tick"\n}\n',
        "spreads an event over lines, but a log has one event per line: `jq -c . FILE",
    ),
    "UTF-16": (
        "one\ntwo\n".encode("utf-16"),
        "is UTF-16, but a log is UTF-8; convert it: `iconv -f UTF-16 -t UTF-8 FILE > NEW`",
    ),
    "UTF-16 without a mark": (
        TICK.decode().encode("utf-16-le"),
        "`iconv -f UTF-16LE -t UTF-8 FILE > NEW`",
    ),
    "UTF-16 the other way round": (
        TICK.decode().encode("utf-16-be"),
        "`iconv -f UTF-16BE -t UTF-8 FILE > NEW`",
    ),
    "UTF-32": (TICK.decode().encode("utf-32"), "is UTF-32, but a log is UTF-8"),
    "UTF-16 in gzip": (
        gzip.compress("红杯\n".encode("utf-16")),
        "`zcat FILE | iconv -f UTF-16 -t UTF-8 > NEW`",
    ),
    "binary in pairs": (b"\x01\x00\x02\x00\x03\x00", "is binary, not JSON lines"),
    "empty zstd": (
        zstd.compress(b""),
        "is empty; it should hold one JSON event per line (`mainstem import` makes a log)",
    ),
    "broken zstd": (zstd.compress(TICK)[:-3], "the zstd stream of"),
    "zstd that is none": (b"\x28\xb5\x2f\xfd\xff\xff\xff\xff\xff\xff", "breaks off after line 0"),
    "gzip header only": (gzip.compress(TICK)[:10], "breaks off after line 0"),
}


def log(folder: Path, content: bytes) -> Path:
    path = folder / "log"
    path.write_bytes(content)
    return path


def message_of(path: Path) -> str:
    with pytest.raises(LogError) as caught:
        list(read_lines(path))
    return str(caught.value)


@pytest.mark.parametrize("content", GOOD.values(), ids=GOOD)
def test_lines_come_without_their_breaks(content: bytes, tmp_path: Path) -> None:
    """The same two lines are read however they are packed."""
    assert list(read_lines(log(tmp_path, content))) == [b"one", b"two"]


def test_a_blank_line_is_handed_on(tmp_path: Path) -> None:
    """A blank line has an offset like any other, so that it can be refused and counted."""
    assert list(read_lines(log(tmp_path, b"one\n\ntwo\r\n\r\n"))) == [b"one", b"", b"two", b""]


@pytest.mark.parametrize(
    "pack", [bytes, gzip.compress, zstd.compress], ids=["plain", "gzip", "zstd"]
)
def test_too_long_a_line_is_cut_and_the_next_one_is_read(pack, tmp_path: Path) -> None:
    """A line beyond the limit is refused, in bounded memory, and costs no other line."""
    endless = b'{"type":"search","query":"' + b"x" * (3 * LONGEST_LINE) + b'"}'
    lines = list(read_lines(log(tmp_path, pack(TICK + b"\n" + endless + b"\n" + TICK + b"\n"))))
    assert [len(TICK), LONGEST_LINE + 1, len(TICK)] == [len(line) for line in lines]
    assert [Tick, Refusal, Tick] == [type(decode(line)) for line in lines]


@pytest.mark.parametrize("filling", [b"x", "杯".encode(), b" "])
def test_too_long_a_line_is_refused_as_such(filling: bytes, tmp_path: Path) -> None:
    """A line that is too long is refused for its length, even if its beginning is an event."""
    found = decode(next(read_lines(log(tmp_path, TICK + filling * LONGEST_LINE))))
    assert ("the line is longer than 1,000,000 bytes", "$", "") == (
        found.reason,
        found.path,
        found.body,
    )


@pytest.mark.parametrize("over", [-1, 0, 1])
@pytest.mark.parametrize("line_break", [b"\n", b"\r\n"])
def test_a_line_at_the_limit_is_one_line(over: int, line_break: bytes, tmp_path: Path) -> None:
    """A line at the limit is an event, a longer one is refused, and the next line stays apart."""
    line = TICK + b" " * (LONGEST_LINE + over - len(TICK))
    lines = list(read_lines(log(tmp_path, line + line_break + TICK + b"\n")))
    assert [line, TICK] == lines
    assert [Refusal if over > 0 else Tick, Tick] == [type(decode(line)) for line in lines]


def test_a_line_that_is_not_utf8_is_refused_with_the_place() -> None:
    """A Latin-1 letter costs its line only, and the reason names the byte and its position."""
    found = decode('{"type":"search","query":"café"}'.encode("latin-1"))
    assert ("the line is not UTF-8: byte 0xe9 at position 29", "$", "") == (
        found.reason,
        found.path,
        found.body,
    )


@pytest.mark.parametrize(("content", "message"), BAD.values(), ids=BAD)
def test_what_is_no_log_is_told_with_the_next_step(
    content: bytes, message: str, tmp_path: Path
) -> None:
    """Empty, binary and broken files are errors that say what to do."""
    path = log(tmp_path, content)
    told = message_of(path)
    assert message in told
    assert repr(str(path)) in told


def test_a_truncated_gzip_gives_its_lines_first(tmp_path: Path) -> None:
    """The readable lines of a broken gzip stream are read before the error, which counts them."""
    whole = b"".join(b"%016x\n" % number_of("line", number) for number in range(20_000))
    read: list[bytes] = []
    with pytest.raises(
        LogError, match=r"breaks off after line \d+ .*zcat FILE \| mainstem replay -"
    ) as caught:
        # `extend` keeps the lines before the error
        read.extend(read_lines(log(tmp_path, gzip.compress(whole)[:-1000])))
    assert whole.splitlines()[: len(read)] == read
    assert f"after line {len(read)} " in str(caught.value)
    assert len(read) > 1000


def test_a_truncated_zstd_gives_its_lines_first(tmp_path: Path) -> None:
    """The readable lines of a broken zstd stream are read before the error, which counts them."""
    whole = b"".join(b"%016x\n" % number_of("line", number) for number in range(50_000))
    read: list[bytes] = []
    with pytest.raises(
        LogError, match=r"zstd .* breaks off after line \d+ .*zstdcat FILE \| mainstem replay -"
    ) as caught:
        read.extend(read_lines(log(tmp_path, zstd.compress(whole)[:-1000])))
    assert whole.splitlines()[: len(read)] == read
    assert f"after line {len(read)} " in str(caught.value)
    assert len(read) > 1000


def test_a_folder_is_read_as_one_log_in_the_order_of_names(tmp_path: Path) -> None:
    """Files of any form are read in the order of names; markers, halves and empty ones are not."""
    files = {
        "2024-01/b.zst": zstd.compress(b"three"),
        "2024-01/a.jsonl": b"one\r\ntwo",
        "2024-01/empty": b"",
        "2024-01/c.half": b"half",
        "2024-02.jsonl": b"five\n",
        "2024-01/c.jsonl.gz": gzip.compress(b"\xef\xbb\xbffour\n"),
        "2024-01/.a.jsonl.crc": b"check",
        "_SUCCESS": b"",
        "_temporary/0.jsonl": b"temporary",
        ".hidden/0.jsonl": b"hidden",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    (tmp_path / "2024-03.jsonl").symlink_to(tmp_path / "2024-01" / "b.zst")
    (tmp_path / "gone.jsonl").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe")
    assert [b"one", b"two", b"three", b"four", b"five", b"three"] == list(read_lines(tmp_path))


@pytest.mark.parametrize("names", [[], ["_SUCCESS"], ["empty.jsonl", "other.jsonl"]])
def test_a_folder_without_a_line_is_no_log(names: list[str], tmp_path: Path) -> None:
    """The error for a folder without any line differs from that for an empty file."""
    for name in names:
        (tmp_path / name).touch()
    message = "has no file with a line in it; it should hold one JSON event"
    assert f"the log {str(tmp_path)!r} {message}" in message_of(tmp_path)


def test_a_bad_file_of_a_folder_is_named(tmp_path: Path) -> None:
    """The error names the bad file and its own line number, not those of the folder."""
    (tmp_path / "a.jsonl").write_bytes(b"one\ntwo\n")
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(b"three\n")[:-4])
    told = message_of(tmp_path)
    assert f"the gzip stream of {str(tmp_path / 'b.jsonl.gz')!r} breaks off after line" in told


def test_a_missing_log_is_named(tmp_path: Path) -> None:
    """The error for a missing log has its path and the advice to check it."""
    path = tmp_path / "none.jsonl"
    expected = f"cannot read the log {str(path)!r}: No such file or directory; check the path"
    assert expected == message_of(path)


def test_a_pipe_is_told_from_a_log(tmp_path: Path) -> None:
    """A pipe is refused, because a log is read more than once."""
    os.mkfifo(tmp_path / "pipe")
    expected = "is a pipe or a device, but a log is read more than once; give `-`"
    assert expected in message_of(tmp_path / "pipe")


def test_empty_standard_input_is_told_and_replaces_no_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Empty standard input is an error, and an earlier copy stays as it was."""
    (tmp_path / "stdin.jsonl").write_bytes(TICK)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO()))
    with pytest.raises(LogError, match="standard input is empty"):
        spool(tmp_path)
    left = [(path.name, path.read_bytes()) for path in tmp_path.iterdir()]
    assert [("stdin.jsonl", TICK)] == left


def test_standard_input_is_spooled_to_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Standard input becomes a file that can be read twice, and nothing else is left."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(b"one\ntwo\n"))))
    path = spool(tmp_path / "new" / "home")
    assert [list(read_lines(path)) for _ in range(2)] == [[b"one", b"two"]] * 2
    assert [path] == list(path.parent.iterdir())
