"""A home knows its log: a further file joins as part of it, and a foreign log is refused."""

import io
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mainstem.answers.fingerprint import deployed_hash
from mainstem.embedded.asked import Asked
from mainstem.embedded.home import HomeFolder
from mainstem.errors import HomeError, LogError
from mainstem.opening import open_loop
from mainstem.settings import Join, Model, Run, Settings
from tests.conftest import excerpt_lines

SETTINGS = Settings(
    run=Run(checkpoint_every=30),
    join=Join(label_window=60_000, grace=60_000, partitions=2),
    model=Model(vocabulary=300),
)
LINES = excerpt_lines(240)
CUT = 130


class Quiet:
    """A watcher that prints nothing."""

    def block_done(self, *_: Any) -> None:
        """Ignore the end of a block."""

    def round_done(self, *_: Any) -> None:
        """Ignore the end of a round."""


def replay(
    log: Path | str, home: Path, watcher: Any = None, say: Any = lambda _: None, **more: Any
) -> str:
    """Replay a log into a home and return the hash of the result."""
    asked = Asked(learn=False, **more)
    with open_loop(
        str(log), home, SETTINGS, watcher or Quiet(), asked, say=say, environment={}
    ) as loop:
        loop.run()
        return deployed_hash(loop.store)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """Write a log, and the same log split into two files."""
    folder = tmp_path_factory.mktemp("logs")
    found = SimpleNamespace(whole=folder / "whole", one=folder / "one", two=folder / "two")
    for path, lines in ((found.whole, LINES), (found.one, LINES[:CUT]), (found.two, LINES[CUT:])):
        path.write_bytes(b"".join(lines))
    return found


@pytest.fixture(scope="module")
def first(files: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that has read the first file; tests copy it."""
    home = tmp_path_factory.mktemp("homes") / "first"
    replay(files.one, home)
    return home


def copied(folder: Path, to: Path) -> Path:
    """Copy a folder and keep links as links, because the relative links of chDB must stay valid."""
    return shutil.copytree(folder, to, symlinks=True)


@pytest.fixture
def home(first: Path, tmp_path: Path) -> Path:
    """A copy of the first home."""
    return copied(first, tmp_path / "home")


def test_files_that_are_appended_give_the_hash_of_one_log(
    files: SimpleNamespace, home: Path, tmp_path: Path
) -> None:
    """Appended files give the hash of one log, also after a crash, a repetition or growth."""
    whole = replay(files.whole, tmp_path / "whole")
    half = tmp_path / "two"
    half.write_bytes(b"".join(LINES[CUT:-60])[:-9])
    dying = SimpleNamespace(block_done=lambda _, line: 1 // (line < 150))
    with pytest.raises(ZeroDivisionError):
        replay(half, home, append=True, watcher=dying)
    replay(half, home, append=True)
    assert whole == replay(files.two, home, append=True) == replay(files.whole, home)


def test_another_log_is_refused_and_changes_nothing(home: Path) -> None:
    """Another log, a shorter log or a next file without `--append` leaves the history unchanged."""
    before = {
        path.name: path.read_bytes()
        for path in home.iterdir()
        if path.is_file() and path.name != "lock"
    }
    for lines in (LINES[CUT:], LINES[:40], LINES[:CUT][::-1]):
        other = home.parent / "other"
        other.write_bytes(b"".join(lines))
        with pytest.raises(HomeError, match="is not the log that this home has read"):
            replay(other, home)
    assert before == {
        path.name: path.read_bytes()
        for path in home.iterdir()
        if path.is_file() and path.name != "lock"
    }


def test_standard_input_is_known_by_the_lines_it_sends_again(
    files: SimpleNamespace, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Standard input goes on when it repeats all lines and is refused when it has only new ones."""

    def send(content: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))

    send(files.two.read_bytes())
    with pytest.raises(HomeError, match=r"standard input' is not the log .* --append"):
        replay("-", home)
    send(files.two.read_bytes())
    by_append = replay("-", home, append=True)
    send(files.whole.read_bytes())
    assert by_append == replay("-", home)


def test_a_log_that_cannot_be_read_makes_and_forgets_nothing(home: Path, tmp_path: Path) -> None:
    """An unreadable log makes no home, and neither `--from-start` nor `--append` changes one."""
    for name, content in (("missing", None), ("empty", b""), ("no-event", b"x\n")):
        log = tmp_path / name
        if content is not None:
            log.write_bytes(content)
        with pytest.raises(LogError):
            replay(log, tmp_path / "deep" / "new")
        with pytest.raises(LogError):
            replay(log, home, from_start=True)
    assert not (tmp_path / "deep").exists()
    assert (home / "checkpoint").exists()
    with pytest.raises(HomeError, match="is no home"):
        replay(Path(__file__), tmp_path / "deep", append=True)


def test_a_home_from_before_takes_the_log_it_gets_and_says_so(
    files: SimpleNamespace, home: Path
) -> None:
    """An old home adopts the first log that it gets if it is not shorter than the checkpoint."""
    for name in ("log", "end", "history/home", "versions/home"):
        (home / name).unlink()
    kept = json.loads((home / "settings.json").read_bytes())
    (home / "settings.json").write_text(
        json.dumps({n: v for n, v in kept.items() if n not in {"home", "pseudonym_key"}})
    )
    short, said = home.parent / "short", list[str]()
    short.write_bytes(b"".join(LINES[:100]))
    with pytest.raises(HomeError, match="has read a longer log"):
        replay(short, home)
    replay(files.whole, home, say=said.append)
    assert ["is taken for its log from now on"] == [
        text.rpartition("'")[2].strip() for text in said
    ]
    with pytest.raises(HomeError, match="is not the log"):
        replay(files.one, home, say=said.append)


def lose(folder: Path, name: str) -> None:
    """Remove a part of a home."""
    shutil.rmtree(folder / name)


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (
            lambda home, _: (home / "checkpoint").write_bytes(
                (home / "checkpoint").read_bytes()[:99]
            ),
            "cannot be read",
        ),
        (lambda home, _: (home / "checkpoint").write_bytes(b"\x80"), "cannot be read"),
        (lambda home, _: (home / "log").write_bytes(b"{}"), "cannot be read"),
        (lambda home, _: (home / "settings.json").write_bytes(b'{"seed"'), "cannot be read"),
        (lambda home, _: (home / "pseudonym.key").write_bytes(b""), "is empty"),
        (lambda home, _: (home / "pseudonym.key").write_bytes(b"x"), "pseudonym_key"),
        (lambda home, _: lose(home, "history"), "the history holds 0 samples"),
        (lambda home, _: lose(home, "versions"), "version 0 is not in"),
        (
            lambda home, other: (
                lose(home, "history"),
                copied(other / "history", home / "history"),
            ),
            "another home",
        ),
        (
            lambda home, other: (
                lose(home, "versions"),
                copied(other / "versions", home / "versions"),
            ),
            "another",
        ),
    ],
)
def test_a_home_with_a_part_missing_broken_or_foreign_is_refused(
    damage: Callable[[Path, Path], object],
    told: str,
    files: SimpleNamespace,
    home: Path,
    tmp_path: Path,
) -> None:
    """A missing, broken or foreign part of a home is refused in one line that names it."""
    other = copied(home, tmp_path / "other")
    for path in ("settings.json", "history/home", "versions/home"):
        content = json.loads((home / "settings.json").read_text())
        (other / path).write_text(
            json.dumps({**content, "home": "0" * 16}) if path.endswith("json") else "0" * 16
        )
    damage(home, other)
    with pytest.raises(HomeError, match=told) as caught:
        replay(files.one, home)
    assert "\n" not in str(caught.value)


def test_a_home_that_cannot_be_written_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file in the way of a home and a full disk are each reported in one line."""
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "home"):
        with pytest.raises(HomeError, match="cannot open the home"):
            HomeFolder(folder, create=True)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with (
        HomeFolder(tmp_path / "home", create=True) as made,
        pytest.raises(HomeError, match="No space left on device"),
    ):
        made.settle(Settings(), {})
