"""Count the trusted samples in the history."""

from typing import Final, NamedTuple

from mainstem.store.named import Query

__all__ = ["TRUSTED_COUNTS", "TrustedCount"]


class TrustedCount(NamedTuple):
    """How many trusted samples with this part, label, partition and origin the history holds.

    `label` is the number of a class; `there` is the count.
    """

    part: str
    label: int
    partition: int
    origin: str
    there: int


TRUSTED_COUNTS: Final = Query(
    TrustedCount,
    """
    SELECT t.part AS part, ifNull(t.label, s.label) AS class, s.partition AS partition,
           t.origin AS origin, count() AS there
    FROM (SELECT * FROM trusted_now) AS t
    INNER JOIN (SELECT sample_id, label, partition FROM samples_now) AS s
    ON t.sample_id = s.sample_id GROUP BY part, class, partition, origin""",
)
"""Trusted samples whose sample has arrived, counted by kind."""
