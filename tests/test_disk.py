"""A file is written whole or not at all."""

import os
from pathlib import Path

import fsspec
import pytest

from mainstem.disk import into_place, put_whole, write_whole


class Recorder:
    """Wraps system calls and records their order; may fail at one of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, failing: str = "") -> None:
        self.calls: list[tuple[str, str]] = []
        self._failing = failing
        fsync, replace = os.fsync, Path.replace

        def syncing(number: int) -> None:
            self._called("sync", Path(f"/proc/self/fd/{number}").readlink())
            fsync(number)

        def moving(half: Path, path: Path) -> Path:
            self._called("move", path)
            return replace(half, path)

        monkeypatch.setattr(os, "fsync", syncing)
        monkeypatch.setattr(Path, "replace", moving)

    def _called(self, what: str, path: Path) -> None:
        self.calls.append((what, path.name))
        if self._failing == f"{what} {path.name}":
            raise OSError(5, "the power went")


def test_content_is_synced_before_the_move_and_the_folder_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file's content is synced before its name exists, and its folder before the call returns."""
    recorder = Recorder(monkeypatch)
    write_whole(tmp_path / "checkpoint", b"new")
    assert [
        ("sync", "checkpoint.half"),
        ("move", "checkpoint"),
        ("sync", tmp_path.name),
    ] == recorder.calls


@pytest.mark.parametrize(
    ("failing", "left"), [("sync a.half", b"old"), ("move a", b"old"), ("sync folder", b"new")]
)
def test_a_crash_leaves_the_old_content_or_the_new(
    failing: str, left: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failure of any system call leaves either the old or the new content whole."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a").write_bytes(b"old")
    Recorder(monkeypatch, failing)
    with pytest.raises(OSError, match="the power went"):
        write_whole(folder / "a", b"new")
    assert left == (folder / "a").read_bytes()


def test_a_private_file_is_its_owners_from_the_first_byte_on(tmp_path: Path) -> None:
    """A private file is readable by its owner alone, even if a readable temporary file was left."""
    (tmp_path / "key.half").write_bytes(b"half")
    (tmp_path / "key.half").chmod(0o644)
    write_whole(tmp_path / "key", b"secret", private=True)
    assert 0o600 == (tmp_path / "key").stat().st_mode & 0o777


def test_a_file_that_was_written_elsewhere_is_synced_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that a command writes piece by piece is synced and moved in the same way."""
    (tmp_path / "log.half").write_bytes(b"lines")
    recorder = Recorder(monkeypatch)
    into_place(tmp_path / "log.half", tmp_path / "log")
    assert [("sync", "log.half"), ("move", "log"), ("sync", tmp_path.name)] == recorder.calls


@pytest.mark.parametrize("url", ["file", "memory"])
def test_every_file_system_gets_the_whole_content(url: str, tmp_path: Path) -> None:
    """Local folders and object stores both get the whole content."""
    files = fsspec.filesystem(url)
    path = f"{tmp_path}/a[1]"
    files.makedirs(str(tmp_path), exist_ok=True)
    put_whole(files, path, b"content")
    assert b"content" == files.cat_file(path)


def test_a_folder_that_cannot_be_synced_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file system that refuses to sync folders causes no failure."""
    fsync = os.fsync

    def refusing(number: int) -> None:
        if Path(f"/proc/self/fd/{number}").readlink().is_dir():
            raise OSError(22, "Invalid argument")
        fsync(number)

    monkeypatch.setattr(os, "fsync", refusing)
    write_whole(tmp_path / "a", b"new")
    assert b"new" == (tmp_path / "a").read_bytes()
