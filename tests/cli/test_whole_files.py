"""Files that commands write: never over what is read, moved into place when whole, nothing left where they are not."""

import gzip
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mainstem.cli.whole_files import open_whole, same_file
from mainstem.errors import ImportSourceError
from tests.conftest import Run

MAP = 'time = "at"\nuser = "who"\nkind.always = "view"\nitem = { id = "sku", title = "name" }\n'
CSV = "at,who,sku,name\n2026-05-04 10:00,u1,A1,Mug\n"


def write(path: Path, content: bytes, *sources: Path) -> None:
    """Write a whole file."""
    with open_whole(path, sources) as file:
        file.write(content)


def half(path: Path, error: BaseException) -> None:
    """Begin to write a file."""
    with open_whole(path) as file:
        file.write(b"half")
        raise error


def left(folder: Path) -> set[str]:
    """What lies in a folder."""
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("name", ["a.csv", "./sub/../a.csv", "hard", "soft", "soft of hard"])
def test_the_source_is_never_written_to(name: str, tmp_path: Path) -> None:
    """By whatever name or link it is called, and it stays as it was."""
    source = tmp_path / "a.csv"
    source.write_text(CSV)
    (tmp_path / "sub").mkdir()
    os.link(source, tmp_path / "hard")
    (tmp_path / "soft").symlink_to("a.csv")
    (tmp_path / "soft of hard").symlink_to("hard")
    with pytest.raises(
        ImportSourceError,
        match=r"is the file that is read, .* and would be overwritten; write to another",
    ):
        write(tmp_path / name, b"new", source)
    assert CSV == source.read_text()
    assert {"a.csv", "sub", "hard", "soft", "soft of hard"} == left(tmp_path)


def test_standard_output_may_be_the_source(tmp_path: Path) -> None:
    """`>> SOURCE` would read what it writes, for ever, so it is refused as well."""
    source = tmp_path / "a.csv"
    source.write_text(CSV)
    (tmp_path / "map.toml").write_text(MAP)
    command = [
        sys.executable,
        "-m",
        "mainstem.cli",
        "import",
        "table",
        source,
        "--map",
        tmp_path / "map.toml",
        "-o",
        "-",
    ]
    with source.open("ab") as out:
        done = subprocess.run(
            command, stdout=out, stderr=subprocess.PIPE, text=True, check=False, timeout=60
        )
    assert (1, CSV) == (done.returncode, source.read_text())
    assert "is the file that is read" in done.stderr


def test_a_link_is_followed_and_stays_a_link(tmp_path: Path) -> None:
    """What it leads to is written, whether it was there or not."""
    (tmp_path / "old").write_text("old")
    for name in ("old", "new"):
        (tmp_path / f"to {name}").symlink_to(name)
        write(tmp_path / f"to {name}", b"content")
        assert (True, b"content") == (
            (tmp_path / f"to {name}").is_symlink(),
            (tmp_path / name).read_bytes(),
        )


@pytest.mark.parametrize(
    "error", [ImportSourceError("no"), KeyboardInterrupt(), OSError(28, "No space left on device")]
)
def test_an_error_leaves_what_was_there(error: BaseException, tmp_path: Path) -> None:
    """The file that lay there stays, nothing half-written lies beside it, and folders made for it go again."""
    (tmp_path / "log").write_text("old")
    for path in (tmp_path / "log", tmp_path / "new" / "folder" / "log.gz"):
        with pytest.raises((ImportSourceError, KeyboardInterrupt)):
            half(path, error)
    assert ({"log"}, "old") == (left(tmp_path), (tmp_path / "log").read_text())


def test_rights_are_those_of_the_file_before(tmp_path: Path) -> None:
    """A new file has those of any new file; a write-protected one is not replaced."""
    (tmp_path / "beside").touch()
    write(tmp_path / "new", b"")
    assert (tmp_path / "beside").stat().st_mode == (tmp_path / "new").stat().st_mode
    (tmp_path / "new").chmod(0o640)
    write(tmp_path / "new", b"")
    assert 0o640 == stat.S_IMODE((tmp_path / "new").stat().st_mode)


def test_a_folder_is_no_place_for_a_file(tmp_path: Path) -> None:
    """The advice is to name a file in it."""
    with pytest.raises(ImportSourceError, match="it is a folder; name a file in it"):
        write(tmp_path, b"")


def test_pipes_and_devices_are_written_to_as_they_are(tmp_path: Path) -> None:
    """Nothing is moved over them."""
    os.mkfifo(tmp_path / "pipe")
    reader = subprocess.Popen(["cat", tmp_path / "pipe"], stdout=subprocess.PIPE)
    write(tmp_path / "pipe", b"content")
    assert b"content" == reader.communicate(timeout=30)[0]
    write(Path("/dev/null"), b"content", Path("/dev/null"))
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
    with pytest.raises(
        ImportSourceError, match="cannot write the log '/dev/full': No space left on device"
    ):
        write(Path("/dev/full"), b"content")


def test_a_packed_file_has_the_same_bytes_every_time(tmp_path: Path) -> None:
    """Neither its name nor the time is in it."""
    for name in ("a.gz", "b.gz"):
        write(tmp_path / name, b"content")
    assert b"content" == gzip.decompress((tmp_path / "a.gz").read_bytes())
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()


def test_files_are_the_same_by_any_name(tmp_path: Path) -> None:
    """Also where they are not there yet."""
    assert same_file(tmp_path / "a" / ".." / "b", tmp_path / "b")
    assert same_file(Path("-"), Path("/dev/stdout"))
    assert not same_file(tmp_path / "a", tmp_path / "b")
    assert not same_file(Path("-"), tmp_path / "b")


def test_the_truth_is_not_the_log(tmp_path: Path, mainstem: Run) -> None:
    """A simulation that was told to write both into one file, by a link, is refused."""
    (tmp_path / "log").write_text("old")
    os.link(tmp_path / "log", tmp_path / "truth")
    done = mainstem("simulate", "-o", tmp_path / "log", "--truth", tmp_path / "truth")
    assert (2, "old") == (done.returncode, (tmp_path / "log").read_text())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_end_takes_the_half_away(number: signal.Signals, tmp_path: Path) -> None:
    """An import that waits for its source ends at once, and the log that lay there stays."""
    os.mkfifo(tmp_path / "source")
    (tmp_path / "map.toml").write_text(MAP)
    (tmp_path / "log").write_text("old")
    command = [sys.executable, "-m", "mainstem.cli", "import", "table", tmp_path / "source"]
    before = signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # a shell's background job has it ignored
    process = subprocess.Popen(
        [*command, "--map", tmp_path / "map.toml", "-o", tmp_path / "log"],
        stderr=subprocess.DEVNULL,
    )
    signal.signal(signal.SIGINT, before)
    until = time.monotonic() + 60
    while len(left(tmp_path)) == 3 and time.monotonic() < until:
        time.sleep(0.05)
    assert 4 == len(left(tmp_path))
    process.send_signal(number)
    assert {signal.SIGTERM: 143, signal.SIGINT: 130}[number] == process.wait(timeout=10)
    assert ({"source", "map.toml", "log"}, "old") == (
        left(tmp_path),
        (tmp_path / "log").read_text(),
    )
