"""Queries of `mainstem history` about one sample, `{sample:UUID}`: its rows in each table."""

from datetime import datetime
from typing import Any, Final, NamedTuple

from mainstem.store.figures import VISITS
from mainstem.store.named import Query
from mainstem.store.score_ages import SCORE_AGE

__all__ = ["HISTORY", "LabelRow", "MoveRow", "TrainedRow"]


class LabelRow(NamedTuple):
    """A sample at one of its label versions.

    `label` is the label that the log gave it, and `confirmed` the one that somebody vouched for.
    """

    label_version: int
    label: int
    outcomes: list[str]
    source: str
    event_time: datetime
    item_text: str
    context_text: str
    part: str
    confirmed: int | None


class MoveRow(NamedTuple):
    """A move, with the figures at its judgement."""

    label_version: int
    judgement: int
    version: int
    before: str
    standing: str
    reason: str
    p_value: float | None
    evidence: float | None
    visits: int
    importance: float
    importance_of_mean: float | None
    alignment: float | None


class TrainedRow(NamedTuple):
    """A version that was trained on the sample, and the standing that it drew the sample from."""

    version: int
    drawn_from: str
    promoted: int


# subtle: the sample is selected inside, next to FINAL; a view around it would read the whole table
HISTORY: Final[dict[str, Query[Any]]] = {
    "sample": Query(
        LabelRow,
        """
        SELECT label_version, label, outcomes, source, event_time, item_text, context_text,
               if(part = '', 'stream', part) AS part, confirmed
        FROM (SELECT * FROM samples FINAL WHERE sample_id = {sample:UUID}) AS s
        LEFT JOIN (
            SELECT sample_id, part, label AS confirmed FROM trusted_now
            WHERE sample_id = {sample:UUID}) AS t
            USING sample_id
        ORDER BY label_version""",
    ),
    "visits": VISITS,
    "moves": Query(
        MoveRow,
        """
        SELECT label_version, judgement, version, before, standing, reason, p_value, evidence,
               visits, importance, importance_of_mean, alignment
        FROM moves FINAL WHERE sample_id = {sample:UUID} ORDER BY judgement""",
    ),
    "trained": Query(
        TrainedRow,
        """
        SELECT version, standing AS drawn_from, promoted
        FROM (SELECT * FROM draws FINAL WHERE sample_id = {sample:UUID}) AS d
        INNER JOIN (SELECT version, promoted FROM versions FINAL) AS v USING version
        ORDER BY version""",
    ),
    "score": SCORE_AGE,
}
"""The queries by name, in the order in which the command prints their answers."""
