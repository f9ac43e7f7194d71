"""What passes cost, written and read back: the visits of a version, and the round that made it.

Seconds differ between two runs of the same log, so no hash and no comparison reads this table.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from mainstem.store.named import Query
from mainstem.store.store import Store
from mainstem.store.versions import VERSIONS_TOLD
from mainstem.store.writes import columns_of_tuples

__all__ = [
    "COSTS_OF_VERSIONS",
    "HAS_COSTS",
    "LATER",
    "RESCORE",
    "ROUND_KINDS",
    "SCORE",
    "VERSIONS_AND_COSTS",
    "VISIT_KINDS",
    "KeptCost",
    "write_costs",
]

SCORE, RESCORE = "score", "rescore"
VISIT_KINDS: Final = (SCORE, RESCORE)
"""Kinds of cost with a row for each visit: samples that are new to a version's use, or older."""
ROUND_KINDS: Final = ("train", "evaluate", "scale", "direction")
"""Kinds of cost of a round: fine-tuning and its epochs' losses, the comparison with the parent."""
LATER: Final = "later"
"""Cost of ranking the last part of the log for the report of a replay."""


class KeptCost(NamedTuple):
    """What the passes of one kind cost for one version.

    Attributes:
        version: number of the version that scored, or that was made or measured.
        kind: one of `VISIT_KINDS` or `ROUND_KINDS`, or `later`.
        samples, tokens: what the passes read, padding left out.
        forward_equivalents: tokens that plain passes would have read for the same work.
        seconds: how long they took.
    """

    version: int
    kind: str
    samples: int
    tokens: int
    forward_equivalents: float
    seconds: float


class _There(NamedTuple):
    views: int


COSTS_OF_VERSIONS: Final = Query(
    KeptCost, f"SELECT {', '.join(KeptCost._fields)} FROM costs_of_version ORDER BY version, kind"
)
"""What each version cost so far, by kind. Kinds without a pass are left out."""
HAS_COSTS: Final = Query(
    _There,
    """
    SELECT count() AS views FROM system.tables
    WHERE database = currentDatabase() AND name = 'costs_of_version'""",
)
"""Whether the history has costs: a server that is only asked may not have been migrated yet."""
VERSIONS_AND_COSTS: Final = f"""
    SELECT t.*, c.samples AS samples, c.tokens AS tokens,
           c.forward_equivalents AS forward_equivalents, c.seconds AS seconds
    FROM ({VERSIONS_TOLD.sql}) AS t
    LEFT JOIN (
        SELECT version, sum(v.samples) AS samples, sum(v.tokens) AS tokens,
               round(sum(v.forward_equivalents), 1) AS forward_equivalents,
               round(sum(v.seconds), 3) AS seconds
        FROM costs_of_version AS v GROUP BY version) AS c
        ON t.version = c.version
    ORDER BY version"""
"""All versions as `VERSIONS_TOLD` has them, with what each cost, all kinds together."""


def write_costs(store: Store, kept: Iterable[KeptCost]) -> None:
    """Write what a round or a report cost; a row replaces that of the same version and kind."""
    store.write("costs", columns_of_tuples(list(kept)))
