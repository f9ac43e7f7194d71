"""A home: the folder of one embedded mainstem, with its history, its versions, its key and its checkpoint.

HOME/history/          chDB
HOME/versions/         models
HOME/trusted.jsonl     somebody's own trusted samples
HOME/settings.json     what its results depend on
HOME/log               what it has read of its log
HOME/end               what the next file of a rotated log needs of those before
HOME/pseudonym.key     secret of the pseudonyms (unless MAINSTEM_PSEUDONYM_KEY is set)
HOME/checkpoint        where a replay goes on
HOME/history.sock      where the process that has the home open answers questions
"""

import secrets
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Self, TypeVar

import msgspec

from mainstem.disk import write_whole
from mainstem.embedded.checkpoint import Checkpoint
from mainstem.embedded.files import keep, kept, told
from mainstem.embedded.lock import take_lock
from mainstem.embedded.recorded import SETTINGS
from mainstem.errors import HomeError
from mainstem.events.known_log import KnownLog, Past
from mainstem.settings import Settings
from mainstem.settings.comparing import differences, that_affect
from mainstem.settings.renamed import renamed
from mainstem.settings.urls import url_of

__all__ = ["KEY", "SOCKET", "Home"]

SOCKET: Final = "history.sock"
_TRUSTED: Final = "trusted.jsonl"
_ID: Final = "home"  # by which history and versions know whose they are
KEY: Final = "pseudonym.key"
_OF_A_REPLAY: Final = ("checkpoint", "end", "log", SETTINGS)
_FOLDERS: Final = ("history", "versions")
_SPOOLED: Final = "stdin.jsonl"
_OURS: Final = {*_OF_A_REPLAY, *_FOLDERS, _TRUSTED, SOCKET, "lock", KEY, _SPOOLED}


T = TypeVar("T")


class Home:
    """An opened home; one process at a time, unless it only reads files and need not be `alone`.

    Raises:
        HomeError: if the folder is no home, belongs to other settings, or is open elsewhere.
    """

    def __init__(self, folder: Path, *, create: bool, alone: bool = True) -> None:
        no_home = f"{str(folder)!r} is no home of mainstem; `mainstem replay LOG --home {shlex.quote(str(folder))}` makes one"
        with told("cannot open the home", folder):
            self.folder = folder.resolve()
            if not create and not any((self.folder / name).exists() for name in (SETTINGS, "lock")):
                raise HomeError(no_home)
            if foreign := _foreign(self.folder):
                msg = f"{str(folder)!r} holds other things, like {foreign!r}; give an empty or a new folder as --home"
                raise HomeError(msg)
            self._made = [
                one
                for one in (self.folder / "lock", self.folder, *self.folder.parents)
                if not one.exists()
            ]
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = (self.folder / "lock").open("a+")
        if alone:
            take_lock(self._lock, self.folder)
        if (
            not create and not self.is_begun
        ):  # with a lock only, it might have been about to become one
            self._lock.close()
            raise HomeError(no_home)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        if failed and not self.is_begun:
            self._unmake()
        self._lock.close()

    @property
    def is_begun(self) -> bool:
        """Whether a log was replayed into it, or begun to be."""
        return (self.folder / SETTINGS).exists()

    @property
    def store_url(self) -> str:
        """Where the history is."""
        return url_of("chdb", self.folder / "history")

    @property
    def versions_url(self) -> str:
        """Where the versions are."""
        return url_of("file", self.folder / "versions")

    @property
    def trusted(self) -> Path:
        """The file of somebody's own trusted samples; there may be none."""
        return self.folder / _TRUSTED

    def key(self, environment: Mapping[str, str]) -> bytes:
        """Secret of the pseudonyms: MAINSTEM_PSEUDONYM_KEY, or one made for this home, readable by its owner only."""
        if given := environment.get("MAINSTEM_PSEUDONYM_KEY"):
            return given.encode()
        path = self.folder / KEY
        if not path.exists():
            with told("cannot write", path):
                write_whole(path, secrets.token_hex(32).encode(), private=True)
        if not (found := path.read_bytes()):
            msg = (
                f"{str(path)!r} is empty; restore it from a copy, or --from-start after removing it"
            )
            raise HomeError(msg)
        return found

    def empty(self) -> None:
        """Begin again: forget everything but the key and the trusted samples."""
        for name in (
            _OF_A_REPLAY
        ):  # the checkpoint first: without the history behind it, it must not be there
            (self.folder / name).unlink(missing_ok=True)
        for name in _FOLDERS:
            shutil.rmtree(self.folder / name, ignore_errors=True)

    def settle(
        self, settings: Settings, facts: Mapping[str, Any], log: KnownLog | None = None
    ) -> None:
        """Record what this home's results depend on, or check it against the record; then remember the log.

        Raises:
            HomeError: if the home was made with other settings: going on would mix two histories.
        """
        wanted = {**that_affect(settings, "join", "results"), **facts}
        on_disk = self._kept(SETTINGS, dict[str, Any], msgspec.json) or {}
        found = renamed(on_disk)
        unknown = {
            **wanted,
            **(that_affect(Settings(), "join", "results") if found else {}),
            _ID: secrets.token_hex(8),
        }  # to a home made before them
        there = {**unknown, **found}
        differ, undo = differences(there, wanted)
        if differ:
            go_on = f"{undo} goes on, " if undo else ""
            msg = f"the home was made with other settings ({differ}); {go_on}--from-start begins again, or give another --home"
            raise HomeError(msg)
        if log:
            keep(self.folder / "log", msgspec.msgpack.encode(log))
        wanted |= {_ID: there[_ID]}
        if wanted != on_disk:
            keep(self.folder / SETTINGS, msgspec.json.format(msgspec.json.encode(wanted)))
        self._claim(there[_ID])

    def check_own(self) -> None:
        """Refuse history or versions that were made for another home.

        Raises:
            HomeError: if they were.
        """
        own = (self._kept(SETTINGS, dict[str, Any], msgspec.json) or {}).get(_ID)
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
                with told("cannot write", path):
                    path.parent.mkdir(exist_ok=True)
                keep(path, own.encode())

    def checkpoint(self) -> Checkpoint | None:
        """Where to go on; None at the start. One of a mainstem whose joiners knew less is refused."""
        found = self._kept("checkpoint", Checkpoint)
        if lacks := next((one.lacks for one in found.snapshots if one.lacks), "") if found else "":
            msg = (
                f"a replay cannot go on from {str(self.folder / 'checkpoint')!r} ({lacks}); "
                "the history still answers questions, and --from-start begins a replay anew"
            )
            raise HomeError(msg)
        return found

    def save(self, checkpoint: Checkpoint) -> None:
        """Keep a checkpoint, whole or not at all."""
        keep(self.folder / "checkpoint", msgspec.msgpack.encode(checkpoint))

    def log(self) -> KnownLog | None:
        """What was read of its log; None where none was begun, or by a mainstem that kept nothing of it."""
        return self._kept("log", KnownLog) if self.is_begun else None

    def end(self) -> Past | None:
        """What was kept at the end of the last replay that came to one."""
        return self._kept("end", Past)

    def save_end(self, past: Past) -> None:
        """Keep what the next file of the log will need, whole or not at all."""
        keep(self.folder / "end", msgspec.msgpack.encode(past))

    def _kept(self, name: str, kind: type[T], form: Any = msgspec.msgpack) -> T | None:
        return kept(self.folder / name, kind, form)

    def _unmake(self) -> None:
        """Leave nothing behind of a home that was made just now, and into which nothing came."""
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
    """The name of something in a folder that no home holds; empty where there is none."""
    names = (
        [path.name.removesuffix(".half") for path in folder.iterdir()] if folder.is_dir() else []
    )
    return next((name for name in sorted(names) if name not in _OURS), "")
