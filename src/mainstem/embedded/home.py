"""A home: the folder of one embedded mainstem, which holds all that it keeps.

HOME/history/          history, in chDB
HOME/versions/         models
HOME/trusted.jsonl     trusted samples that the user vouches for
HOME/settings.json     settings and facts that its results depend on
HOME/log               a mark of how much of its log it has read
HOME/end               state that the next file of a rotated log needs
HOME/pseudonym.key     secret of the pseudonyms (unless MAINSTEM_PSEUDONYM_KEY is set)
HOME/checkpoint        where a replay goes on
HOME/history.sock      socket on which the process that has the home open answers questions
HOME/report.html       a page about the home, for people
"""

import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Self, TypeVar

import msgspec

from mainstem.disk import write_whole
from mainstem.embedded.checkpoint import Checkpoint
from mainstem.embedded.files import home_errors, read_file, write_file
from mainstem.embedded.lock import take_lock
from mainstem.embedded.recorded import SETTINGS, check_same, no_home
from mainstem.errors import HomeError
from mainstem.events.known_log import KnownLog, Past
from mainstem.settings import Settings
from mainstem.settings.comparing import that_affect
from mainstem.settings.renamed import renamed
from mainstem.settings.urls import url_of

__all__ = ["END", "KEY", "PAGE", "SOCKET", "HomeFolder"]

SOCKET: Final = "history.sock"
PAGE: Final = "report.html"
END: Final = "end"
_TRUSTED: Final = "trusted.jsonl"
# file in the folders of history and versions that says which home they belong to
_ID: Final = "home"
KEY: Final = "pseudonym.key"
_OF_A_REPLAY: Final = ("checkpoint", END, "log", PAGE, SETTINGS)
_FOLDERS: Final = ("history", "versions")
_SPOOLED: Final = "stdin.jsonl"
_OURS: Final = {*_OF_A_REPLAY, *_FOLDERS, _TRUSTED, SOCKET, "lock", KEY, _SPOOLED}


T = TypeVar("T")


class HomeFolder:
    """An opened home, as a context manager that closes it.

    Args:
        folder: folder of the home.
        create: whether to make a home where there is none.
        alone: whether to take the lock, which one process at a time can hold. A process that only
            reads the small files of a home does not need it.

    Attributes:
        folder: the folder, with all links resolved.

    Raises:
        HomeError: if the folder is no home, holds files that are not of a home, or is in use by
            another process.
    """

    def __init__(self, folder: Path, *, create: bool, alone: bool = True) -> None:
        with home_errors("cannot open the home", folder):
            self.folder = folder.resolve()
            if not create and not any((self.folder / name).exists() for name in (SETTINGS, "lock")):
                raise no_home(folder)
            if foreign := _foreign(self.folder):
                msg = (
                    f"{str(folder)!r} holds other things, like {foreign!r}; "
                    "give an empty or a new folder as --home"
                )
                raise HomeError(msg)
            needed = (self.folder / "lock", self.folder, *self.folder.parents)
            self._made = [one for one in needed if not one.exists()]
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = (self.folder / "lock").open("a+")
        if alone:
            take_lock(self._lock, self.folder)
        # subtle: a folder with nothing but a lock was becoming a home, and is none now
        if not create and not self.is_begun:
            self._lock.close()
            raise no_home(folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        if failed and not self.is_begun:
            self._unmake()
        self._lock.close()

    @property
    def is_begun(self) -> bool:
        """Whether a replay into this home has begun."""
        return (self.folder / SETTINGS).exists()

    @property
    def store_url(self) -> str:
        """URL of the history."""
        return url_of("chdb", self.folder / "history")

    @property
    def versions_url(self) -> str:
        """URL of the versions."""
        return url_of("file", self.folder / "versions")

    @property
    def trusted(self) -> Path:
        """Path of the file of trusted samples, which need not exist."""
        return self.folder / _TRUSTED

    def key(self, environment: Mapping[str, str]) -> bytes:
        """The secret of the pseudonyms.

        It is `MAINSTEM_PSEUDONYM_KEY`, or the home's own, which is made when it is first needed and
        which only the owner of the file can read.

        Args:
            environment: variables by name, which may hold the secret.

        Raises:
            HomeError: if the home's own key cannot be written, or is empty.
        """
        if given := environment.get("MAINSTEM_PSEUDONYM_KEY"):
            return given.encode()
        path = self.folder / KEY
        if not path.exists():
            with home_errors("cannot write", path):
                write_whole(path, secrets.token_hex(32).encode(), private=True)
        if not (found := path.read_bytes()):
            msg = (
                f"{str(path)!r} is empty; restore it from a copy, or --from-start after removing it"
            )
            raise HomeError(msg)
        return found

    def empty(self) -> None:
        """Delete everything but the key and the trusted samples."""
        # subtle: the checkpoint goes first, because it must not exist without its history
        for name in _OF_A_REPLAY:
            (self.folder / name).unlink(missing_ok=True)
        for name in _FOLDERS:
            shutil.rmtree(self.folder / name, ignore_errors=True)

    def settle(
        self, settings: Settings, facts: Mapping[str, Any], log: KnownLog | None = None
    ) -> None:
        """Record what the results of this home depend on, or compare it with the record.

        Args:
            settings: settings of the replay.
            facts: other facts that results depend on, by name.
            log: mark of the log, to be recorded too.

        Raises:
            HomeError: if the home was made with other settings: going on would mix two histories.
        """
        wanted = {**that_affect(settings, "join", "results"), **facts}
        on_disk = self._read(SETTINGS, dict[str, Any], msgspec.json) or {}
        found = renamed(on_disk)
        check_same(found, wanted)
        own = found.get(_ID) or secrets.token_hex(8)
        if log:
            write_file(self.folder / "log", msgspec.msgpack.encode(log))
        wanted |= {_ID: own}
        if wanted != on_disk:
            write_file(self.folder / SETTINGS, msgspec.json.format(msgspec.json.encode(wanted)))
        self._claim(own)

    def check_own(self) -> None:
        """Refuse history or versions of another home.

        Raises:
            HomeError: if a folder belongs to another home.
        """
        own = (self._read(SETTINGS, dict[str, Any], msgspec.json) or {}).get(_ID)
        for name in _FOLDERS:
            path = self.folder / name / _ID
            if own and path.is_file() and path.read_text() != own:
                msg = (
                    f"{str(path.parent)!r} belongs to another home; "
                    "copy a home whole, or give another --home, or --from-start to begin again"
                )
                raise HomeError(msg)

    def _claim(self, own: str) -> None:
        self.check_own()
        for name in _FOLDERS:
            path = self.folder / name / _ID
            if not path.exists():
                with home_errors("cannot write", path):
                    path.parent.mkdir(exist_ok=True)
                write_file(path, own.encode())

    def checkpoint(self) -> Checkpoint | None:
        """The last checkpoint; None before the first.

        Raises:
            HomeError: if an older mainstem wrote it, whose joiners kept less.
        """
        found = self._read("checkpoint", Checkpoint)
        if lacks := next((one.lacks for one in found.snapshots if one.lacks), "") if found else "":
            msg = (
                f"a replay cannot go on from {str(self.folder / 'checkpoint')!r} ({lacks}); "
                "the history still answers questions, and --from-start begins a replay anew"
            )
            raise HomeError(msg)
        return found

    def save(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint, whole or not at all."""
        write_file(self.folder / "checkpoint", msgspec.msgpack.encode(checkpoint))

    def log(self) -> KnownLog | None:
        """The mark of the log; None where no log was begun or an older mainstem kept no mark."""
        return self._read("log", KnownLog) if self.is_begun else None

    def end(self) -> Past | None:
        """The state that the last replay left at the end of its log; None before the first."""
        return self._read(END, Past)

    def save_end(self, past: Past) -> None:
        """Write the state that the next file of a rotated log needs, whole or not at all."""
        write_file(self.folder / END, msgspec.msgpack.encode(past))

    def _read(self, name: str, kind: type[T], form: Any = msgspec.msgpack) -> T | None:
        return read_file(self.folder / name, kind, form)

    def _unmake(self) -> None:
        """Remove a home that was made just now and has received nothing."""
        for name in (_SPOOLED, f"{_SPOOLED}.half"):
            (self.folder / name).unlink(missing_ok=True)
        for made in self._made:
            if not made.is_dir():
                made.unlink(missing_ok=True)
            elif any(made.iterdir()):
                return
            else:
                made.rmdir()


def _foreign(folder: Path) -> str:
    """Name of the first file in a folder that no home holds; empty where there is none."""
    files = folder.iterdir() if folder.is_dir() else ()
    names = sorted(path.name.removesuffix(".half") for path in files)
    # subtle: a page that is being written beside its place has a name of its own
    return next((one for one in names if one not in _OURS and not one.startswith(f".{PAGE}.")), "")
