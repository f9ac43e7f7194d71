"""Logs as they lie on disk: whole, odd, broken, absent."""

import gzip
import io
from pathlib import Path

import pytest

from mainstem.errors import LogError
from mainstem.events import Refusal, Tick, decode, read_lines
from mainstem.events.logs import LONGEST_LINE, spool
from mainstem.ids import number_of

TICK = b'{"type":"tick","event_timestamp":5}'

GOOD = {
    "plain": b"one\ntwo\n",
    "no break at the end": b"one\ntwo",
    "gzip": gzip.compress(b"one\ntwo\n"),
    "gzip in two members": gzip.compress(b"one\n") + gzip.compress(b"two\n"),
    "byte order mark": b"\xef\xbb\xbfone\ntwo\n",
    "byte order mark in gzip": gzip.compress(b"\xef\xbb\xbfone\ntwo\n"),
    "Windows line breaks": b"one\r\ntwo\r\n",
}

BAD = {
    "empty": (b"", "is empty; it should hold one JSON event a line (`mainstem import` makes one)"),
    "empty gzip": (gzip.compress(b""), "is empty; it should hold one JSON event a line (`mainstem import` makes one)"),
    "binary": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "binary file, not JSON lines; `mainstem import` reads other formats"),
    "binary in gzip": (gzip.compress(b"PAR1\x00\x00"), "not JSON lines; `mainstem import` reads other formats"),
    "UTF-16": ("one\ntwo\n".encode("utf-16"), "not JSON lines; `mainstem import` reads other formats"),
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
    """A blank line is an offset like any other, so that it can be refused and counted."""
    assert list(read_lines(log(tmp_path, b"one\n\ntwo\r\n\r\n"))) == [b"one", b"", b"two", b""]


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_too_long_a_line_is_cut_and_the_next_one_is_read(pack, tmp_path: Path) -> None:
    """A line beyond the limit is refused, in bounded memory, and costs no other line."""
    endless = b'{"type":"search","query":"' + b"x" * (3 * LONGEST_LINE) + b'"}'
    lines = list(read_lines(log(tmp_path, pack(TICK + b"\n" + endless + b"\n" + TICK + b"\n"))))
    assert [len(TICK), LONGEST_LINE, len(TICK)] == [len(line) for line in lines]
    assert [Tick, Refusal, Tick] == [type(decode(line)) for line in lines]


@pytest.mark.parametrize("over", [-1, 0, 1])
def test_a_line_at_the_limit_is_one_line(over: int, tmp_path: Path) -> None:
    """A line one byte shorter, as long, or one byte longer than the limit does not run into the next."""
    lines = list(read_lines(log(tmp_path, b"x" * (LONGEST_LINE + over) + b"\ntwo\n")))
    assert [min(LONGEST_LINE + over, LONGEST_LINE), 3] == [len(line) for line in lines]


@pytest.mark.parametrize(("content", "message"), BAD.values(), ids=BAD)
def test_what_is_no_log_is_told_with_the_next_step(content: bytes, message: str, tmp_path: Path) -> None:
    """Empty, binary and broken files are errors that say what to do."""
    path = log(tmp_path, content)
    told = message_of(path)
    assert message in told
    assert repr(str(path)) in told


def test_a_truncated_gzip_gives_its_lines_first(tmp_path: Path) -> None:
    """What can be read of a broken gzip stream is read, then the error counts the lines and says how to go on."""
    whole = b"".join(b"%016x\n" % number_of("line", number) for number in range(20_000))
    read: list[bytes] = []
    with pytest.raises(LogError, match=r"breaks off after line \d+ .*zcat FILE \| mainstem replay -") as caught:
        read.extend(read_lines(log(tmp_path, gzip.compress(whole)[:-1000])))  # keeps what came before the error
    assert whole.splitlines()[: len(read)] == read
    assert f"after line {len(read)} " in str(caught.value)
    assert len(read) > 1000


def test_a_folder_is_no_log(tmp_path: Path) -> None:
    """A folder is told from a file, and one file is asked for."""
    assert f"{str(tmp_path)!r} is a folder; give one log file" == message_of(tmp_path)


def test_a_missing_log_is_named(tmp_path: Path) -> None:
    """A path that leads nowhere is in the message, with the advice to check it."""
    path = tmp_path / "none.jsonl"
    assert f"cannot read the log {str(path)!r}: No such file or directory; check the path" == message_of(path)


def test_standard_input_is_spooled_to_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard input becomes a whole file that can be read twice, with nothing half written beside it."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(b"one\ntwo\n"))))
    path = spool(tmp_path / "new" / "home")
    assert [list(read_lines(path)) for _ in range(2)] == [[b"one", b"two"]] * 2
    assert [path] == list(path.parent.iterdir())
