"""A home: the folder of one embedded mainstem, with its history, its versions, its key and its checkpoint.

HOME/history/          chDB
HOME/versions/         models
HOME/trusted.jsonl     somebody's own trusted samples
HOME/settings.json     what its results depend on
HOME/pseudonym.key     secret of the pseudonyms (unless MAINSTEM_PSEUDONYM_KEY is set)
HOME/checkpoint        where a replay goes on
HOME/history.sock      where the process that has the home open answers questions
"""

import fcntl
import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, Self

import msgspec
from msgspec import Struct

from mainstem.errors import HomeError, HomeInUseError
from mainstem.join import Snapshot
from mainstem.settings import Settings

__all__ = ["SOCKET", "Checkpoint", "Home", "recorded"]

SOCKET: Final = "history.sock"
_SETTINGS: Final = "settings.json"
_TRUSTED: Final = "trusted.jsonl"
_OURS: Final = {_SETTINGS, _TRUSTED, SOCKET, "checkpoint", "history", "lock", "pseudonym.key", "stdin.jsonl", "versions"}
_FREE: Final = {"device", "snapshot_every"}  # settings that a home may be opened with otherwise: no result depends on them
_LATER: Final = {"threads"}  # what homes did not record from the start: one without it takes what is so now


class Checkpoint(Struct, frozen=True, kw_only=True):
    """A consistent place between two blocks of lines: everything before it is in the history.

    Attributes:
        line: lines of the log that are done.
        snapshots: the joiners, by partition of `events`.
        ends: next sample offset of each partition of `samples`.
        left: event time before which samples have left the columns, by partition.
        event_times: largest event time of a sample, in milliseconds, by partition.
        counted: samples so far that may be trained on: every `round_every` of them a round starts.
        version, scale: the version in use, and the canaries' mean norm at it.
        rounds: rounds so far, promoted or not; the next version is one more.
    """

    line: int
    snapshots: list[Snapshot]
    ends: dict[int, int]
    left: dict[int, int]
    event_times: dict[int, int]
    counted: int
    version: int
    scale: float | None
    rounds: int


class Home:
    """An opened home; one process at a time.

    Raises:
        HomeError: if the folder is no home, belongs to other settings, or is open elsewhere.
    """

    def __init__(self, folder: Path, *, create: bool) -> None:
        self.folder = folder.resolve()
        no_home = f"{str(folder)!r} is no home of mainstem; `mainstem replay LOG --home {folder}` makes one"
        if not create and not any((self.folder / name).exists() for name in (_SETTINGS, "lock")):
            raise HomeError(no_home)
        if foreign := _foreign(self.folder):
            msg = f"{str(folder)!r} holds other things, like {foreign!r}; give an empty or a new folder as --home"
            raise HomeError(msg)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = (self.folder / "lock").open("a+")
        self._take_lock()
        if not create and not (self.folder / _SETTINGS).exists():  # with a lock only, it might have been about to become one
            self._lock.close()
            raise HomeError(no_home)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.close()

    @property
    def store_url(self) -> str:
        """Where the history is."""
        return f"chdb://{self.folder / 'history'}"

    @property
    def versions_url(self) -> str:
        """Where the versions are."""
        return f"file://{self.folder / 'versions'}"

    @property
    def trusted(self) -> Path:
        """The file of somebody's own trusted samples; there may be none."""
        return self.folder / _TRUSTED

    def key(self, environment: Mapping[str, str]) -> bytes:
        """Secret of the pseudonyms: MAINSTEM_PSEUDONYM_KEY, or one made for this home, readable by its owner only."""
        if given := environment.get("MAINSTEM_PSEUDONYM_KEY"):
            return given.encode()
        path = self.folder / "pseudonym.key"
        if not path.exists():
            half = path.with_name(f"{path.name}.half")
            with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                file.write(secrets.token_hex(32))
            half.replace(path)
        return path.read_text().encode()

    def empty(self) -> None:
        """Begin again: forget everything but the key and the trusted samples."""
        for name in ("history", "versions"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        for name in ("checkpoint", _SETTINGS):
            (self.folder / name).unlink(missing_ok=True)

    def settle(self, settings: Settings, facts: Mapping[str, Any]) -> None:
        """Record what this home's results depend on, or check it against the record.

        Raises:
            HomeError: if the home was made with other settings: going on would mix two histories.
        """
        wanted = {name: value for name, value in {**asdict(settings), **facts}.items() if name not in _FREE}
        path = self.folder / _SETTINGS
        if not path.exists():
            _write_whole(path, msgspec.json.format(msgspec.json.encode(wanted)))
            return
        kept = msgspec.json.decode(path.read_bytes())
        new = {name: wanted[name] for name in sorted(_LATER & wanted.keys() - kept.keys())}
        kept |= new
        other = sorted(name for name in wanted if kept.get(name) != wanted[name])
        if other:
            differences = ", ".join(f"{name} {kept.get(name)!r} there, {wanted[name]!r} now" for name in other)
            msg = f"the home was made with other settings ({differences}); --from-start begins again, or give another --home"
            raise HomeError(msg)
        if new:
            _write_whole(path, msgspec.json.format(msgspec.json.encode(kept)))

    def checkpoint(self) -> Checkpoint | None:
        """Where to go on; None at the start."""
        path = self.folder / "checkpoint"
        return msgspec.msgpack.decode(path.read_bytes(), type=Checkpoint) if path.exists() else None

    def save(self, checkpoint: Checkpoint) -> None:
        """Keep a checkpoint, whole or not at all."""
        _write_whole(self.folder / "checkpoint", msgspec.msgpack.encode(checkpoint))

    def _take_lock(self) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._lock.seek(0)
            owner = self._lock.read().strip() or "unknown"
            self._lock.close()
            msg = f"{str(self.folder)!r} is in use by process {owner}; wait for it, or stop it"
            raise HomeInUseError(msg) from error
        self._lock.truncate(0)
        self._lock.write(str(os.getpid()))
        self._lock.flush()


def recorded(folder: Path, name: str) -> Any:
    """What the home in a folder records of a setting or a fact; None where it is no home yet, or records no such thing."""
    path = folder / _SETTINGS
    return msgspec.json.decode(path.read_bytes()).get(name) if path.exists() else None


def _foreign(folder: Path) -> str:
    """The name of something in a folder that no home holds; empty where there is none."""
    names = [path.name.removesuffix(".half") for path in folder.iterdir()] if folder.is_dir() else []
    return next((name for name in sorted(names) if name not in _OURS), "")


def _write_whole(path: Path, content: bytes) -> None:
    half = path.with_name(f"{path.name}.half")
    with half.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)
