"""Snapshots of joiners behind a URL, so that another machine can go on where one has stopped.

    SNAPSHOTS/<deployment>/events-00003/00000000000000015000

A snapshot is a pure function of a prefix of the log and is named by its offset, so two owners of a
partition write the same bytes.
"""

import hashlib
from typing import Any, Final

import msgspec
from msgspec import Struct

from mainstem.disk import put_whole
from mainstem.errors import SettingError
from mainstem.join import Snapshot
from mainstem.settings import Settings
from mainstem.settings.comparing import differences, that_affect
from mainstem.settings.renamed import renamed
from mainstem.settings.urls import files_at

__all__ = ["Snapshots"]

_KEPT: Final = 3  # snapshots of a partition
_KEY: Final = "MAINSTEM_PSEUDONYM_KEY"
# snapshots from before settings had groups do not record this setting
_UNRECORDED: Final = "objectives.classes"


class _Kept(Struct, frozen=True):
    settings: dict[str, Any]
    digest: str
    snapshot: bytes


class Snapshots:
    """The snapshots of one deployment.

    Args:
        url: any fsspec URL.
        deployment: name of the deployment's folder under the URL.
        settings: settings of the joiners; a snapshot made with other settings that affect the join
            is refused.
        key: secret of the pseudonyms; a snapshot made with another secret is refused.
        topic: full name of the topic that is joined; a snapshot of another topic is refused.
    """

    def __init__(
        self, url: str, deployment: str, settings: Settings, *, key: bytes = b"", topic: str = ""
    ) -> None:
        self._files, root = files_at(url)
        self._root = f"{root}/{deployment}"
        digest = hashlib.blake2b(key, digest_size=8, person=b"mainstem-key").hexdigest()
        facts = {_KEY: f"digest {digest}" if key else "", "MAINSTEM_EVENTS": topic}
        self._facts = {name: fact for name, fact in facts.items() if fact}
        self._settings = {**that_affect(settings, "join"), **self._facts}

    def save(self, snapshot: Snapshot) -> None:
        """Write a snapshot, whole or not at all, and delete all but the newest three."""
        folder = self._folder(snapshot.partition)
        self._files.makedirs(folder, exist_ok=True)
        content = msgspec.msgpack.encode(snapshot)
        kept = _Kept(self._settings, _digest(self._settings, content), content)
        path = f"{folder}/{snapshot.next_offset:020d}"
        put_whole(self._files, path, msgspec.msgpack.encode(kept))
        for old in self._offsets(snapshot.partition)[:-_KEPT]:
            self._forget(f"{folder}/{old:020d}")

    def newest(self, partition: int) -> Snapshot | None:
        """The newest snapshot of a partition that can be read; None if there is none.

        Raises:
            SettingError: if the snapshot was made with other settings or has another form. To go on
                from it would mix two joins.
        """
        for offset in reversed(self._offsets(partition)):
            if found := self._read(f"{self._folder(partition)}/{offset:020d}"):
                return found
        return None

    def _read(self, path: str) -> Snapshot | None:
        try:
            kept = msgspec.msgpack.decode(self._files.cat_file(path), type=_Kept)
        except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError):
            return None  # another owner deleted it, or it was cut off
        if _digest(kept.settings, kept.snapshot) != kept.digest:
            return None
        assumed = {
            **that_affect(Settings(), "join"),
            **{name: self._settings[name] for name in (_UNRECORDED, *self._facts)},
        }
        different, undo = differences({**assumed, **renamed(kept.settings)}, self._settings)
        if different:
            go_on = f"set {undo} to go on" if undo else "set those to go on"
            msg = (
                f"the snapshots were made with other settings ({different}); {go_on}, "
                "or give a new topic prefix and another place for snapshots"
            )
            raise SettingError(msg)
        try:
            found = msgspec.msgpack.decode(kept.snapshot, type=Snapshot)
            lacks = found.lacks
        except msgspec.ValidationError as error:
            lacks = str(error)
        if lacks:
            msg = (
                f"{path!r} was written by another release of mainstem, and this release cannot go "
                f"on from it ({lacks}); to begin anew, give a new topic prefix and another place "
                "for snapshots, and replay the log"
            )
            raise SettingError(msg)
        return found

    def _offsets(self, partition: int) -> list[int]:
        folder = self._folder(partition)
        # subtle: fsspec caches listings on S3, and another owner may have written in the meantime
        self._files.invalidate_cache()
        if not self._files.exists(folder):
            return []
        names = [str(path).rsplit("/", 1)[-1] for path in self._files.find(folder, maxdepth=1)]
        return sorted(int(name) for name in names if name.isdecimal())

    def _forget(self, path: str) -> None:
        try:
            self._files.rm_file(path)
        except FileNotFoundError:  # another owner has deleted it
            return

    def _folder(self, partition: int) -> str:
        return f"{self._root}/events-{partition:05d}"


def _digest(settings: dict[str, Any], content: bytes) -> str:
    return hashlib.blake2b(msgspec.msgpack.encode(settings) + content, digest_size=16).hexdigest()
