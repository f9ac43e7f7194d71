"""What the history says of versions."""

from mainstem.store.store import Store

__all__ = ["has_version"]


def has_version(store: Store, version: int) -> bool:
    """Whether a version, promoted or not, has its row."""
    return bool(store.rows("SELECT version FROM versions WHERE version = {version:UInt32}", version=version))
