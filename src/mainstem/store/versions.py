"""What the history says of versions."""

from typing import NamedTuple

from mainstem.store.store import Store

__all__ = ["KeptVersion", "has_version", "write_version"]


class KeptVersion(NamedTuple):
    """A version, promoted or not: `model` is what a first one was made from, `digest` that of its weights, if it has any."""

    version: int
    parent: int | None
    event_time: int
    promoted: int
    reason: str
    model: str
    digest: str


def has_version(store: Store, version: int) -> bool:
    """Whether a version, promoted or not, has its row."""
    return bool(store.rows("SELECT version FROM versions WHERE version = {version:UInt32}", version=version))


def write_version(store: Store, kept: KeptVersion) -> None:
    """Write the row of a version."""
    store.write("versions", {name: [value] for name, value in kept._asdict().items()})
