"""Samples with their standings, and the last judgement of a partition."""

from typing import Final, NamedTuple
from uuid import UUID

from mainstem.store.named import Query
from mainstem.store.store import Store

__all__ = ["JUDGED_SAMPLES", "JudgedAt", "JudgedSample", "last_judgement"]


class JudgedSample(NamedTuple):
    """A sample of the stream, its label in the log, and where it stands.

    `evidence` is None where there is none.
    """

    sample_id: UUID
    label: int
    standing: str
    reason: str
    evidence: float | None


class JudgedAt(NamedTuple):
    """The position of a judgement, and the newest version whose responses it used."""

    position: int
    version: int


JUDGED_SAMPLES: Final = Query(
    JudgedSample,
    """
    SELECT s.sample_id AS sample_id, s.label AS label, t.standing AS standing,
           t.reason AS reason, t.evidence AS evidence
    FROM samples_now AS s INNER JOIN standings_now AS t ON s.sample_id = t.sample_id
    WHERE s.sample_id NOT IN (SELECT sample_id FROM trusted_now WHERE part != 'stream')""",
)
"""The judged samples of the stream; trusted samples are left out because their labels are given."""
_LAST: Final = Query(
    JudgedAt,
    """
    SELECT judgement, version FROM judgements FINAL
    WHERE partition = {partition:UInt32} AND judgement <= {end:UInt64}
    ORDER BY judgement DESC LIMIT 1""",
)


def last_judgement(store: Store, partition: int, end: int) -> JudgedAt | None:
    """The last judgement of a partition at or before a position; None before the first."""
    return next(iter(_LAST.of(store, partition=partition, end=end)), None)
