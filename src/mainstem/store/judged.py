"""What the history says of the samples that were judged."""

from typing import Final, NamedTuple
from uuid import UUID

from mainstem.store.named import Query

__all__ = ["JUDGED_SAMPLES", "JudgedSample"]


class JudgedSample(NamedTuple):
    """A sample of the stream with its label in the log and where it stands; `evidence` is None where there is none."""

    sample_id: UUID
    label: int
    standing: str
    reason: str
    evidence: float | None


JUDGED_SAMPLES: Final = Query(
    JudgedSample,
    """
    SELECT s.sample_id AS sample_id, s.label AS label, t.standing AS standing, t.reason AS reason, t.evidence AS evidence
    FROM samples_now AS s INNER JOIN standings_now AS t ON s.sample_id = t.sample_id
    WHERE s.sample_id NOT IN (SELECT sample_id FROM trusted_now WHERE part != 'stream')""",
)
"""The samples of the stream; trusted ones are left out, for their labels were given."""
