"""Queries of `mainstem explain` about one sample, `{sample:UUID}`; visits are in `figures.py`."""

from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from mainstem.store.named import Query

__all__ = [
    "BEGINNING",
    "CANARIES",
    "LABELS",
    "MOVES",
    "ROUNDS",
    "Beginning",
    "Canaries",
    "Drawn",
    "Label",
    "Move",
]


class Label(NamedTuple):
    """A sample at one of its label versions, with the label and the targets in the log.

    `part` is its part in the trusted samples, or `stream`; `origin` says who trusts it, and
    `confirmed` is the label that somebody vouched for.
    """

    label_version: int
    label: int
    targets: list[float]
    outcomes: list[str]
    question_id: UUID
    event_time: datetime
    event_timestamp: int
    source: str
    query: str
    history: list[str]
    item_id: str
    context_text: str
    item_text: str
    sampling_probability: float
    part: str
    origin: str
    confirmed: int | None


class Move(NamedTuple):
    """A move, with the figures at its judgement.

    `canaries`, `core_level`, `verdict` and `decides` are those of the judgement as a whole. Where
    learnt evidence decided, `probably_right` is the probability that the label in the log is right,
    and `say` has what each of `parts` adds to the log-odds that it is wrong.
    """

    partition: int
    judgement: int
    event_time: datetime
    version: int
    label_version: int
    before: str
    standing: str
    reason: str
    p_value: float | None
    evidence: float | None
    importance: float
    margin: float
    visits: int
    alignment: float | None
    importance_of_mean: float | None
    probably_right: float | None
    weight: float
    parts: list[str]
    say: list[float]
    canaries: int
    core_level: float | None
    verdict: str
    decides: str


class Canaries(NamedTuple):
    """How many canaries with one label a judgement compared the sample with."""

    judgement: int
    label: int
    canaries: int


class Drawn(NamedTuple):
    """A round that drew the sample, and with which standing and probability it did."""

    version: int
    label_version: int
    drawn_from: str
    probability: float
    drawn: int
    cold: int
    promoted: int
    reason: str


class Beginning(NamedTuple):
    """A sample whose id begins with the characters asked for."""

    sample_id: str


# subtle: the sample is selected inside, next to FINAL and before joins, so no whole table is read;
# the history of a server that has not been migrated may lack columns, which COLUMNS allows
LABELS: Final = Query(
    Label,
    """
    SELECT label_version, label,
           arrayConcat(CAST([], 'Array(Float32)'), COLUMNS('^targets$')) AS targets, outcomes,
           question_id, event_time,
           toUnixTimestamp64Milli(event_time) AS event_timestamp, source, query, history, item_id,
           context_text, item_text, sampling_probability,
           if(part = '', 'stream', part) AS part, origin, confirmed
    FROM (SELECT * FROM samples FINAL WHERE sample_id = {sample:UUID}) AS s
    LEFT JOIN (
        SELECT sample_id, part, origin, label AS confirmed FROM trusted_now
        WHERE sample_id = {sample:UUID}) AS t
        USING sample_id
    ORDER BY label_version""",
)
MOVES: Final = Query(
    Move,
    """
    SELECT m.partition AS partition, m.judgement AS judgement, m.event_time AS event_time,
           m.version AS version, label_version, before, standing, reason, p_value, evidence,
           importance, margin, visits, alignment, importance_of_mean,
           its_right AS probably_right, its_weight AS weight, its_parts AS parts, its_say AS say,
           j.canaries AS canaries, j.core_level AS core_level, j.verdict AS verdict,
           if(its_decides = '', 'recent margin', its_decides) AS decides
    FROM (
        SELECT *, [COLUMNS('^probably_right$'), NULL][1] AS its_right,
               [COLUMNS('^weight$'), toFloat32(1)][1] AS its_weight,
               arrayConcat(CAST([], 'Array(String)'), COLUMNS('^parts$')) AS its_parts,
               arrayConcat(CAST([], 'Array(Float32)'), COLUMNS('^say$')) AS its_say
        FROM moves FINAL WHERE sample_id = {sample:UUID}) AS m
    LEFT JOIN (
        SELECT *, concat('', COLUMNS('^decides$')) AS its_decides FROM judgements FINAL) AS j
        ON m.partition = j.partition AND m.judgement = j.judgement
    ORDER BY judgement""",
)
# For each judgement that moved the sample: the canaries that the version had scored which scored
# the sample last, at their newest label, without those that were beyond the horizon by then.
CANARIES: Final = Query(
    Canaries,
    """
    SELECT judgement, label, count() AS canaries FROM (
        SELECT m.judgement AS judgement, r.sample_id AS canary,
               argMax(r.label, r.label_version) AS label
        FROM (
            SELECT sample_id, label_version, label, partition, offset, version, event_time
            FROM responses
            WHERE part = 'canary'
              AND partition IN (SELECT partition FROM moves WHERE sample_id = {sample:UUID})
        ) AS r
        INNER JOIN (
            SELECT partition, judgement, event_time, max(scored) AS last
            FROM (
                SELECT DISTINCT partition, judgement, version, event_time FROM moves
                WHERE sample_id = {sample:UUID}) AS n
            CROSS JOIN (
                SELECT version AS scored FROM responses WHERE sample_id = {sample:UUID}) AS v
            WHERE scored <= version GROUP BY partition, judgement, event_time
        ) AS m ON r.partition = m.partition AND r.version = m.last
        WHERE r.offset < m.judgement
            AND toUnixTimestamp64Milli(r.event_time)
                >= toUnixTimestamp64Milli(m.event_time) - {horizon:Int64}
        GROUP BY judgement, canary)
    GROUP BY judgement, label ORDER BY judgement, label""",
)
ROUNDS: Final = Query(
    Drawn,
    """
    SELECT r.version AS version, d.label_version AS label_version, d.standing AS drawn_from,
           d.probability AS probability, r.drawn AS drawn, r.cold AS cold,
           r.promoted AS promoted, r.reason AS reason
    FROM (SELECT * FROM draws FINAL WHERE sample_id = {sample:UUID}) AS d
    INNER JOIN (SELECT * FROM rounds FINAL) AS r ON d.version = r.version ORDER BY version""",
)
BEGINNING: Final = Query(
    Beginning,
    """
    SELECT DISTINCT toString(sample_id) AS sample_id FROM samples
    WHERE startsWith(toString(sample_id), {beginning:String}) ORDER BY sample_id LIMIT 3""",
)
"""Ids of samples that begin with these characters, at most three; reads the ids of all samples."""
