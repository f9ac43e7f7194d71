"""How old the scores of samples are, in versions and in days of event time; a view defines both."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from mainstem.store.named import Query
from mainstem.store.store import Store
from mainstem.store.views import of_sample, with_views

__all__ = ["SCORE_AGE", "SETS_TOLD", "ScoreAge", "SetTold", "score_ages"]


class ScoreAge(NamedTuple):
    """The score that a sample's figures end with.

    Attributes:
        sample_id: id of the sample.
        scored_by: version that scored it last.
        scored_at: event time at which that version could first score it.
        versions_behind: number of versions that were promoted since.
        days: days of event time since `scored_at`, up to the newest question.
    """

    sample_id: UUID
    scored_by: int
    scored_at: datetime
    versions_behind: int
    days: float


class SetTold(NamedTuple):
    """Samples with one standing for one reason: how many, and the means of their figures.

    Attributes:
        standing, reason, samples, importance, importance_of_mean, alignment, margin: as in `Set`.
        versions_behind, score_days: means of the ages of their scores.
        outdated: how many have other words than their item has now.
        gone: how many have an item that is gone.
    """

    standing: str
    reason: str
    samples: int
    importance: float
    importance_of_mean: float | None
    alignment: float | None
    margin: float
    versions_behind: float
    score_days: float
    outdated: int
    gone: int


_AGE: Final = "SELECT sample_id, scored_by, scored_at, versions_behind, days FROM score_age"
SCORE_AGE: Final = Query(ScoreAge, of_sample(_AGE, "score_age"))
"""The age of the score of one sample, `{sample:UUID}`; no row if it was never scored."""
_AGES: Final = Query(
    ScoreAge,
    with_views(
        _AGE,
        {"responses_now": "SELECT * FROM responses WHERE sample_id IN {ids:Array(UUID)}"},
        "score_age",
    ),
)
# subtle: a history that has not been migrated lacks some of these views
SETS_TOLD: Final = Query(
    SetTold,
    with_views(
        """
        SELECT standing, reason, count() AS samples, avg(importance) AS importance,
               avg(importance_of_mean) AS importance_of_mean, avg(alignment) AS alignment,
               avg(margin) AS margin, avg(a.versions_behind) AS versions_behind,
               avg(a.days) AS score_days,
               countIf(t.sample_id IN (
                   SELECT sample_id FROM changed_texts
                   WHERE changed > {beyond:Float64})) AS outdated,
               countIf({gone_after:Int64} > 0 AND t.sample_id IN (
                   SELECT s.sample_id
                   FROM samples AS s LEFT JOIN items_seen AS i ON s.item_id = i.item_id
                   WHERE s.source != 'labelled' AND s.item_id != ''
                     AND toUnixTimestamp64Milli(i.last_seen) + {gone_after:Int64}
                         < toUnixTimestamp64Milli((SELECT max(event_time) FROM samples)))) AS gone
        FROM standings_now AS t LEFT JOIN score_age AS a ON t.sample_id = a.sample_id
        GROUP BY standing, reason ORDER BY standing, reason""",
        {},
        *("items_so_far", "samples_so_far", "texts_of_item", "changed_texts", "items_seen"),
        "score_age",
    ),
)
"""How many samples have each standing, for each reason, and how old their scores and texts are.

`beyond` is the share of changed words beyond which a text is outdated, and `gone_after` the time in
milliseconds after which an item is gone; 0 says that none is.
"""


def score_ages(store: Store, sample_ids: Sequence[UUID]) -> dict[UUID, ScoreAge]:
    """The ages of the scores of some samples, a thousand at most, by id."""
    return {one.sample_id: one for one in _AGES.of(store, ids=list(sample_ids))}
