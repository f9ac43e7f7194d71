"""What passes and features cost, written and read back: of visits, samples and rounds.

Seconds differ between two runs of the same log, so no hash and no comparison reads this table.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from mainstem.join import PlacedSample
from mainstem.store.named import Query
from mainstem.store.store import Store
from mainstem.store.versions import VERSIONS_TOLD
from mainstem.store.writes import columns_of_tuples

__all__ = [
    "COSTS_OF_VERSIONS",
    "FEATURES",
    "HAS_COSTS",
    "LATER",
    "PLACED_KINDS",
    "RESCORE",
    "ROUND_KINDS",
    "SCORE",
    "VERSIONS_AND_COSTS",
    "VISIT_KINDS",
    "KeptCost",
    "counted_before",
    "write_costs",
]

SCORE, RESCORE = "score", "rescore"
VISIT_KINDS: Final = (SCORE, RESCORE)
"""Kinds of cost with a row for each visit: samples that are new to a version's use, or older."""
FEATURES: Final = "features"
"""Kind of cost with a row for each sample whose features were computed, which is no pass."""
PLACED_KINDS: Final = (*VISIT_KINDS, FEATURES)
"""Kinds of cost whose rows stand at the position of a sample."""
ROUND_KINDS: Final = ("train", "evaluate", "scale", "direction")
"""Kinds of cost of a round: fine-tuning and its epochs' losses, the comparison with the parent."""
LATER: Final = "later"
"""Cost of ranking the last part of the log for the report of a replay."""


class KeptCost(NamedTuple):
    """What the passes of one kind cost for one version.

    Attributes:
        version: number of the version that scored, or that was made or measured; for features the
            version in use.
        kind: one of `PLACED_KINDS` or `ROUND_KINDS`, or `later`.
        samples, tokens: what the passes read, padding left out; features read no tokens.
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
    SELECT t.*, r.weighed AS weighed, r.harder AS harder, c.samples AS samples, c.tokens AS tokens,
           c.forward_equivalents AS forward_equivalents, c.seconds AS seconds,
           c.feature_seconds AS feature_seconds
    FROM ({VERSIONS_TOLD.sql}) AS t
    LEFT JOIN (
        SELECT version AS round, toNullable(weighed) AS weighed, harder FROM rounds FINAL) AS r
        ON t.version = r.round
    LEFT JOIN (
        SELECT version AS worked, sumIf(v.samples, v.kind != '{FEATURES}') AS samples,
               sum(v.tokens) AS tokens,
               round(sum(v.forward_equivalents), 1) AS forward_equivalents,
               round(sum(v.seconds), 3) AS seconds,
               round(sumIf(v.seconds, v.kind = '{FEATURES}'), 3) AS feature_seconds
        FROM costs_of_version AS v GROUP BY version) AS c
        ON t.version = c.worked
    ORDER BY version"""
"""All versions as `VERSIONS_TOLD` has them, with what its round heeded and what each cost.

`weighed` is 1 if draw and loss heeded importance and evidence, and `harder` is what decided it;
both are None without a round. `samples` are those that passes of all kinds read.
`feature_seconds` is the part of `seconds` without passes.
"""


class _Place(NamedTuple):
    partition: int
    offset: int


# subtle: a crash between a row of costs and the features may leave the row to an earlier version
_COUNTED_BEFORE: Final = Query(
    _Place,
    f"""
    SELECT partition, offset FROM costs
    WHERE kind = '{FEATURES}' AND partition = {{partition:UInt32}}
      AND offset BETWEEN {{first:UInt64}} AND {{last:UInt64}} AND version != {{version:UInt32}}""",
)


def counted_before(
    store: Store, samples: Sequence[PlacedSample], version: int
) -> set[tuple[int, int]]:
    """Where features of some samples are counted for another version already.

    Args:
        store: the history.
        samples: the samples.
        version: number of the version in use.

    Returns:
        Partition and position of each, and perhaps of samples between them.
    """
    found = set[tuple[int, int]]()
    for partition in {one.partition for one in samples}:
        offsets = [one.offset for one in samples if one.partition == partition]
        found.update(
            _COUNTED_BEFORE.of(
                store, partition=partition, first=min(offsets), last=max(offsets), version=version
            )
        )
    return found


def write_costs(store: Store, kept: Iterable[KeptCost]) -> None:
    """Write what a round or a report cost; a row replaces that of the same version and kind."""
    store.write("costs", columns_of_tuples(list(kept)))
