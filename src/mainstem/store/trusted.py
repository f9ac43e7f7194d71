"""What the history knows of trusted samples."""

from typing import Final, NamedTuple

from mainstem.store.named import Query

__all__ = ["TRUSTED_COUNTS", "TrustedCount"]


class TrustedCount(NamedTuple):
    """How many trusted samples of one kind the stream has brought; `label` is the class's number."""

    part: str
    label: int
    partition: int
    origin: str
    there: int


TRUSTED_COUNTS: Final = Query(
    TrustedCount,
    """
    SELECT t.part AS part, ifNull(t.label, s.label) AS class, s.partition AS partition, t.origin AS origin, count() AS there
    FROM (SELECT * FROM trusted_now) AS t INNER JOIN (SELECT sample_id, label, partition FROM samples_now) AS s
    ON t.sample_id = s.sample_id GROUP BY part, class, partition, origin""",
)
"""Trusted samples that the stream has brought, counted."""
