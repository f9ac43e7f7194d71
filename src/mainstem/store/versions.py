"""Versions and the rounds that made them, written and read back."""

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
    """The row of a version, promoted or not.

    Attributes:
        version, parent: number of the version and of the version it came from; None for the first.
        event_time: event time at which it was made, in milliseconds.
        promoted, reason: 1 if it was promoted, and why or why not.
        model: what a first version was made from.
        digest: digest of its weights; empty if it has none.
    """

    version: int
    parent: int | None
    event_time: int
    promoted: int
    reason: str
    model: str
    digest: str


class VersionTold(NamedTuple):
    """A version, whether it was promoted and why.

    Attributes:
        version, parent, promoted, reason: as in `KeptVersion`.
        auc_later: its AUC on the last part of the log; None where it was not measured.
        auc: its AUC on the samples that the gate decided on.
        popularity, logistic: AUC of popularity, and of logistic regression on the behaviour
            features, on the samples of `auc`; None where it is unknown.
        beats_counting: 1 if `auc` is above both of them, as far as they are known; None if neither
            is, or the version has no AUC.
    """

    version: int
    parent: int | None
    promoted: int
    reason: str
    auc_later: float | None
    auc: float | None
    popularity: float | None
    logistic: float | None
    beats_counting: int | None


class RoundTold(NamedTuple):
    """A round: how many samples it drew, and what the gate measured.

    `samples` is the number of samples of all partitions that had arrived when the round began.
    `judged_on` is `gate` or `held_out`. `auc_before` and `log_loss_before` are those of the parent,
    `auc_after` and `log_loss_after` those of the new version. `weighed` is 1 if its draw and its
    loss heeded importance and evidence.
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
    weighed: int = 1

    @property
    def drawn_from(self) -> str:
        """What its samples were drawn from, in words; samples of noise are in none of these."""
        if not self.weighed:
            return "all, alike"
        return "all, by weight" if self.cold else "core and edge"


class _Numbered(NamedTuple):
    version: int


class _Ends(NamedTuple):
    offsets: list[int]


VERSIONS_TOLD: Final = Query(
    VersionTold,
    """
    SELECT v.version AS version, v.parent AS parent, v.promoted AS promoted, v.reason AS reason,
           e.auc AS auc_later, g.auc AS auc, g.popularity AS popularity, g.logistic AS logistic,
           if(isNull(g.popularity) AND isNull(g.logistic), NULL,
              g.auc > greatest(ifNull(g.popularity, 0), ifNull(g.logistic, 0))) AS beats_counting
    FROM (SELECT * FROM versions FINAL) AS v
    LEFT JOIN (SELECT * FROM evaluations FINAL WHERE slice = 'later') AS e
        ON v.version = e.version
    LEFT JOIN (
        SELECT e.version AS version, auc, popularity, logistic
        FROM (SELECT * FROM evaluations FINAL WHERE version = round) AS e
        INNER JOIN (SELECT version, judged_on FROM rounds FINAL) AS r
            ON e.version = r.version AND e.slice = r.judged_on) AS g
        ON v.version = g.version
    ORDER BY version""",
)
ROUNDS_TOLD: Final = Query(
    RoundTold,
    """
    SELECT version, arraySum(offsets), drawn, cold, judged_on, auc_before, log_loss_before,
           auc_after, log_loss_after, promoted, reason, weighed
    FROM rounds FINAL ORDER BY version""",
)


_SAME_NUMBER: Final = Query(
    _Numbered, "SELECT version FROM versions WHERE version = {version:UInt32}"
)
_PROMOTED: Final = Query(
    _Numbered, "SELECT version FROM versions FINAL WHERE promoted ORDER BY version"
)
_NEWEST: Final = Query(_Numbered, "SELECT max(version) FROM versions")
# subtle: a round without a row in `versions` was killed before its end; it counts as not done
_LAST_ROUND: Final = Query(
    _Ends,
    """
    SELECT offsets FROM rounds FINAL WHERE version IN (SELECT version FROM versions)
    ORDER BY version DESC LIMIT 1""",
)


def has_version(store: Store, version: int) -> bool:
    """Whether the history has the row of a version, promoted or not."""
    return bool(_SAME_NUMBER.of(store, version=version))


def write_version(store: Store, kept: KeptVersion) -> None:
    """Write the row of a version."""
    store.write("versions", columns_of_tuples([kept]))


def promoted_versions(store: Store) -> list[int]:
    """Numbers of the versions that were promoted, in order."""
    return [one.version for one in _PROMOTED.of(store)]


def newest_number(store: Store) -> int:
    """The highest number of a version, promoted or not."""
    [newest] = _NEWEST.of(store)
    return newest.version


def ends_of_last_round(store: Store) -> list[int]:
    """Next position of each partition when the last round began; empty before the first round."""
    return next((list(one.offsets) for one in _LAST_ROUND.of(store)), [])
