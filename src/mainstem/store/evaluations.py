"""Evaluations of versions, written and read back, and the facts that slices are made of."""

from collections.abc import Sequence
from typing import Final, NamedTuple
from uuid import UUID

from mainstem.store.named import Query
from mainstem.store.store import Store
from mainstem.store.writes import columns_of_tuples

__all__ = [
    "EVALUATIONS",
    "EvaluationTold",
    "KeptEvaluation",
    "SliceFacts",
    "frequent_queries",
    "slice_facts",
    "write_evaluations",
]

_AT_ONCE: Final = 1000  # ids in one statement
_DAYS: Final = 90
_MOST_QUERIES: Final = 200_000


class KeptEvaluation(NamedTuple):
    """The row of one evaluation.

    Attributes:
        version: number of the version that was measured.
        round: number of the round that measured it; 0 for the report at the end of a replay.
        slice: samples that it was measured on: `gate`, `held_out` or `later`, or a part of them,
            such as `gate/query=head`.
        samples: number of these samples.
        auc, log_loss, calibration_error, ndcg_10, mrr, questions: as in `Evaluation`.
        popularity, logistic: AUC of popularity, and of logistic regression on the behaviour
            features, on the same samples; None where it is unknown.
    """

    version: int
    round: int
    slice: str
    samples: int
    auc: float | None
    log_loss: float | None
    calibration_error: float | None
    ndcg_10: float | None
    mrr: float | None
    questions: int
    popularity: float | None
    logistic: float | None


class EvaluationTold(NamedTuple):
    """How good a version is on a slice of samples; the fields are those of `KeptEvaluation`."""

    version: int
    slice: str
    samples: int
    auc: float | None
    popularity: float | None
    logistic: float | None
    log_loss: float | None
    calibration_error: float | None
    questions: int
    ndcg_10: float | None
    mrr: float | None


class SliceFacts(NamedTuple):
    """What slices are made of.

    Attributes:
        sample_id: id of the sample.
        question_id: id of its question.
        query: hash of the query; 0 if there was none.
        category: category of the item; empty if it is unknown.
        item_age: milliseconds since the catalogue first described the item; -1 if it is unknown.
    """

    sample_id: UUID
    question_id: UUID
    query: int
    category: str
    item_age: int


class _Frequent(NamedTuple):
    query: int
    is_head: int


EVALUATIONS: Final = Query(
    EvaluationTold,
    """
    SELECT version, slice, samples, auc, popularity, logistic, log_loss, calibration_error,
           questions, ndcg_10, mrr
    FROM evaluations FINAL WHERE round = version OR round = 0
    ORDER BY version, indexOf(['gate', 'held_out', 'later'], splitByChar('/', slice)[1]), slice""",
)
"""What was measured of each version: by the round that made it, and on the last part of the log."""
_FACTS: Final = Query(
    SliceFacts,
    """
    SELECT sample_id, question_id, if(query = '', 0, cityHash64(query)) AS asked, category, item_age
    FROM samples WHERE sample_id IN {ids:Array(UUID)}
    ORDER BY sample_id, label_version LIMIT 1 BY sample_id""",
)
# subtle: `above` is how many questions asked a query that is more frequent
_FREQUENT: Final = Query(
    _Frequent,
    """
    SELECT asked, above * 3 < total AS is_head FROM (
        SELECT asked, sum(questions) OVER (
                   ORDER BY questions DESC, asked ROWS UNBOUNDED PRECEDING) - questions AS above,
               sum(questions) OVER () AS total
        FROM (
            SELECT cityHash64(query) AS asked, uniq(question_id) AS questions FROM samples
            WHERE query != '' AND event_time >= fromUnixTimestamp64Milli({since:Int64})
                AND event_time < fromUnixTimestamp64Milli({before:Int64})
            GROUP BY asked))
    WHERE above * 3 < total * 2 ORDER BY above LIMIT {most:UInt64}""",
)


def write_evaluations(store: Store, kept: Sequence[KeptEvaluation]) -> None:
    """Write rows of evaluations."""
    store.write("evaluations", columns_of_tuples(kept))


def slice_facts(store: Store, sample_ids: Sequence[UUID]) -> dict[UUID, SliceFacts]:
    """What slices are made of, for samples that the history holds, by id."""
    found: list[SliceFacts] = []
    for first in range(0, len(sample_ids), _AT_ONCE):
        found += _FACTS.of(store, ids=list(sample_ids[first : first + _AT_ONCE]))
    return {one.sample_id: one for one in found}


def frequent_queries(store: Store, before: int) -> dict[int, str]:
    """Which queries are head and which are torso, by the hash of the query; all others are tail.

    The most frequent queries that make up a third of the questions with a query are head, the next
    ones that make up another third are torso.

    Args:
        store: the history.
        before: event time in milliseconds; the 90 days before it count.

    Returns:
        `head` or `torso` for each hash.
    """
    since = max(before - _DAYS * 24 * 3_600_000, 0)
    found = _FREQUENT.of(store, since=since, before=before, most=_MOST_QUERIES)
    return {one.query: "head" if one.is_head else "torso" for one in found}
