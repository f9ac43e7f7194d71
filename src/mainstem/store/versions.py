"""What the history says of versions."""

from typing import Final, NamedTuple

from mainstem.store.named import Query
from mainstem.store.store import Store
from mainstem.store.writes import columns_of_tuples

__all__ = [
    "ROUNDS_TOLD",
    "VERSIONS_TOLD",
    "KeptVersion",
    "RoundTold",
    "VersionTold",
    "ends_of_last_round",
    "has_version",
    "newest_number",
    "promoted_versions",
    "write_version",
]


class KeptVersion(NamedTuple):
    """A version, promoted or not: `model` is what a first one was made from, `digest` that of its weights, if it has any."""

    version: int
    parent: int | None
    event_time: int
    promoted: int
    reason: str
    model: str
    digest: str


class VersionTold(NamedTuple):
    """A version, whether it was promoted and why, and its AUC on the last part of the log where it was measured."""

    version: int
    parent: int | None
    promoted: int
    reason: str
    auc_later: float | None


class RoundTold(NamedTuple):
    """A round: what it drew, and how its version and the parent did before the gate.

    `samples` is how many samples of all partitions had come when it began; `judged_on` is `gate`
    or `held_out`.
    """

    version: int
    samples: int
    drawn: int
    cold: int
    judged_on: str
    auc_before: float | None
    log_loss_before: float | None
    auc_after: float | None
    log_loss_after: float | None
    promoted: int
    reason: str


VERSIONS_TOLD: Final = Query(
    VersionTold,
    """
    SELECT v.version AS version, v.parent AS parent, v.promoted AS promoted, v.reason AS reason, e.auc AS auc_later
    FROM (SELECT * FROM versions FINAL) AS v
    LEFT JOIN (SELECT * FROM evaluations FINAL WHERE slice = 'later') AS e ON v.version = e.version
    ORDER BY version""",
)
ROUNDS_TOLD: Final = Query(
    RoundTold,
    """
    SELECT version, arraySum(offsets), drawn, cold, judged_on, auc_before, log_loss_before, auc_after, log_loss_after, promoted, reason
    FROM rounds FINAL ORDER BY version""",
)


def has_version(store: Store, version: int) -> bool:
    """Whether a version, promoted or not, has its row."""
    return bool(
        store.rows("SELECT version FROM versions WHERE version = {version:UInt32}", version=version)
    )


def write_version(store: Store, kept: KeptVersion) -> None:
    """Write the row of a version."""
    store.write("versions", columns_of_tuples([kept]))


def promoted_versions(store: Store) -> list[int]:
    """The versions that were promoted, in order."""
    return [
        version
        for (version,) in store.rows(
            "SELECT version FROM versions FINAL WHERE promoted ORDER BY version"
        )
    ]


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
