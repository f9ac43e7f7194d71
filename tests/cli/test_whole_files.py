"""A command never overwrites its source, and moves a file into place only when it is whole."""

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
    """Write half a file, then raise an error."""
    with open_whole(path) as file:
        file.write(b"half")
        raise error


def left(folder: Path) -> set[str]:
    """Return the names in a folder."""
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("name", ["a.csv", "./sub/../a.csv", "hard", "soft", "soft of hard"])
def test_the_source_is_never_written_to(name: str, tmp_path: Path) -> None:
    """The source is not overwritten, whatever name or link the output has."""
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
    """`>> SOURCE` is refused, because the command would read what it writes."""
    source = tmp_path / "a.csv"
    source.write_text(CSV)
    (tmp_path / "map.toml").write_text(MAP)
    options = ["--map", tmp_path / "map.toml", "-o", "-"]
    command = [sys.executable, "-m", "mainstem.cli", "import", "table", source, *options]
    with source.open("ab") as out:
        done = subprocess.run(
            command, stdout=out, stderr=subprocess.PIPE, text=True, check=False, timeout=60
        )
    assert (1, CSV) == (done.returncode, source.read_text())
    assert "is the file that is read" in done.stderr


def test_a_link_is_followed_and_stays_a_link(tmp_path: Path) -> None:
    """The target of a link is written, even if it did not exist, and the link stays."""
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
    """An error leaves the old file, and removes the half file and new folders."""
    (tmp_path / "log").write_text("old")
    for path in (tmp_path / "log", tmp_path / "new" / "folder" / "log.gz"):
        with pytest.raises((ImportSourceError, KeyboardInterrupt)):
            half(path, error)
    assert ({"log"}, "old") == (left(tmp_path), (tmp_path / "log").read_text())


def test_rights_are_those_of_the_file_before(tmp_path: Path) -> None:
    """A file keeps its permissions when it is replaced, and a new one has the usual ones."""
    (tmp_path / "beside").touch()
    write(tmp_path / "new", b"")
    assert (tmp_path / "beside").stat().st_mode == (tmp_path / "new").stat().st_mode
    (tmp_path / "new").chmod(0o640)
    write(tmp_path / "new", b"")
    assert 0o640 == stat.S_IMODE((tmp_path / "new").stat().st_mode)


def test_a_folder_is_no_place_for_a_file(tmp_path: Path) -> None:
    """A folder as output is refused with the advice to name a file in it."""
    with pytest.raises(ImportSourceError, match="it is a folder; name a file in it"):
        write(tmp_path, b"")


def test_pipes_and_devices_are_written_to_as_they_are(tmp_path: Path) -> None:
    """Pipes and devices are written to and not replaced."""
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
    """A packed file has neither its name nor the time in it."""
    for name in ("a.gz", "b.gz"):
        write(tmp_path / name, b"content")
    assert b"content" == gzip.decompress((tmp_path / "a.gz").read_bytes())
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()


def test_files_are_the_same_by_any_name(tmp_path: Path) -> None:
    """Two names of a file are recognised, also before it exists."""
    assert same_file(tmp_path / "a" / ".." / "b", tmp_path / "b")
    assert same_file(Path("-"), Path("/dev/stdout"))
    assert not same_file(tmp_path / "a", tmp_path / "b")
    assert not same_file(Path("-"), tmp_path / "b")


def test_the_truth_is_not_the_log(tmp_path: Path, mainstem: Run) -> None:
    """A simulation is refused if a link makes log and truth the same file."""
    (tmp_path / "log").write_text("old")
    os.link(tmp_path / "log", tmp_path / "truth")
    done = mainstem("simulate", "-o", tmp_path / "log", "--truth", tmp_path / "truth")
    assert (2, "old") == (done.returncode, (tmp_path / "log").read_text())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_end_takes_the_half_away(number: signal.Signals, tmp_path: Path) -> None:
    """An interrupted import ends at once and leaves the old log."""
    os.mkfifo(tmp_path / "source")
    (tmp_path / "map.toml").write_text(MAP)
    (tmp_path / "log").write_text("old")
    command = [sys.executable, "-m", "mainstem.cli", "import", "table", tmp_path / "source"]
    # a shell starts background jobs with SIGINT ignored, and children inherit that
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
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
