"""What the history says of versions."""

from mainstem.store.store import Store

__all__ = ["ends_of_last_round", "has_version", "newest_number"]


def has_version(store: Store, version: int) -> bool:
    """Whether a version, promoted or not, has its row."""
    return bool(store.rows("SELECT version FROM versions WHERE version = {version:UInt32}", version=version))


def newest_number(store: Store) -> int:
    """The highest number that a version has, promoted or not."""
    [(last,)] = store.rows("SELECT max(version) FROM versions")
    return int(last)


def ends_of_last_round(store: Store) -> list[int]:
    """The next position of each partition when the last round began; nothing before the first round."""
    # subtle: a round without a row in `versions` was cut off by a kill; it is not done, and another one is due
    sql = """
        SELECT offsets FROM rounds FINAL WHERE version IN (SELECT version FROM versions) ORDER BY version DESC LIMIT 1"""
    return next((list(ends) for (ends,) in store.rows(sql)), [])
