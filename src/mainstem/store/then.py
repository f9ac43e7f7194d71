"""Queries for the rows that a history had at an earlier place of its log.

Rows are written in the order of the log, so bounds on positions, offsets, versions and judgements
select the rows of that time among the present ones. A query covers one partition, so that memory
holds no more than the rows of one.
"""

from typing import Any, Final, NamedTuple

from mainstem.join.ledger import BLOCK, COUNTS
from mainstem.store.named import Query

__all__ = ["BY_THEN", "NEWEST_OFFSET", "OneOffset", "Then"]


class Then(NamedTuple):
    """How far a partition had come.

    Attributes:
        partition: number of the partition of events and of samples.
        samples: next position of a sample.
        events: next offset of topic `events`.
        items: next offset of topic `items`.
        hour: first hour of the counts that was not closed, as a number of hours since 1970 UTC.
        version: newest version that had scored samples.
        judgement: position of the last judgement.
        every: samples between two judgements of the schedule.
    """

    partition: int
    samples: int
    events: int
    items: int
    hour: int
    version: int
    judgement: int
    every: int


class SampleThen(NamedTuple):
    """A sample without its label; `texts` is a hash of its query, history, item and texts."""

    sample_id: str
    label_version: int
    offset: int
    event_time: int
    question_id: str
    user: str
    source: str
    weight: float
    sampling_probability: float
    position: int
    digest: str
    texts: int


class LabelThen(NamedTuple):
    """The label of a sample, and what it was made of.

    `vouched` is the label that somebody trusted gave instead, or -1.
    """

    sample_id: str
    label_version: int
    label: int
    targets: str
    outcomes: str
    part: str
    vouched: int


class FeaturesThen(NamedTuple):
    """The features of a sample in the order of `names`."""

    sample_id: str
    offset: int
    names: str
    values: list[float]


class LedgerThen(NamedTuple):
    """A row of the ledger at the end of a block; `counts` has the order of `COUNTS`."""

    topic: str
    block: int
    next_offset: int
    first_offset: int
    counts: str


class RejectedThen(NamedTuple):
    """A refused event."""

    topic: str
    offset: int
    reason: str
    path: str
    digest: str
    body: str


class HourThen(NamedTuple):
    """A record that closed the hours from `first` to `hour`."""

    hour: int
    first: int
    counts: int
    uncounted: int


class CountThen(NamedTuple):
    """A count of a closed hour."""

    kind: str
    key: str
    other: str
    hour: int
    position: int
    shown: int
    clicked: int
    carted: int
    purchased: int
    returned: int
    shoppers: int


class ResponseThen(NamedTuple):
    """A response, and the scale of its version."""

    sample_id: str
    label_version: int
    version: int
    label: int
    part: str
    norm: float
    scale: float
    loss: float
    margin: float
    alignment: float | None


class JudgementThen(NamedTuple):
    """A judgement of the partition."""

    judgement: int
    version: int
    event_time: int
    core: int
    edge: int
    contradictory: int
    spent: int
    canaries: int
    verdict: str


class StandingThen(NamedTuple):
    """Where a sample stood after its last move, and the figures of that judgement."""

    sample_id: str
    label_version: int
    standing: str
    reason: str
    judgement: int
    p_value: float | None
    evidence: float | None
    importance: float
    margin: float


BY_THEN: Final[dict[str, Query[Any]]] = {
    "samples": Query(
        SampleThen,
        """
        SELECT toString(sample_id), label_version, offset, toUnixTimestamp64Milli(event_time),
               toString(question_id), user, source, weight, sampling_probability, position,
               toString(digest), cityHash64(query, history, item_id, category, brand, price_band,
                                            context_text, item_text)
        FROM samples FINAL WHERE partition = {partition:UInt32} AND offset < {samples:UInt64}""",
    ),
    "labels": Query(
        LabelThen,
        """
        SELECT toString(s.sample_id), s.label_version, s.label,
               arrayStringConcat(arrayMap(toString, s.targets), ' '),
               arrayStringConcat(s.outcomes, ' '), t.part, ifNull(toInt32(t.label), -1)
        FROM (
            SELECT * FROM samples FINAL
            WHERE partition = {partition:UInt32} AND offset < {samples:UInt64}) AS s
        LEFT JOIN (SELECT * FROM trusted FINAL) AS t ON s.sample_id = t.sample_id""",
    ),
    "features": Query(
        FeaturesThen,
        """
        SELECT toString(sample_id), offset, names, values
        FROM features FINAL WHERE partition = {partition:UInt32} AND offset < {samples:UInt64}""",
    ),
    "ledger": Query(
        LedgerThen,
        f"""
        SELECT topic, block, next_offset, first_offset,
               arrayStringConcat(arrayMap(toString, [{", ".join(COUNTS)}]), ' ')
        FROM ledger FINAL
        WHERE topic = 'events' AND partition = {{partition:UInt32}}
          AND next_offset <= {{events:UInt64}} AND next_offset % {BLOCK} = 0 AND next_offset > 0
           OR topic = 'items' AND partition = {{partition:UInt32}}
          AND next_offset = {{items:UInt64}}""",
    ),
    "rejected": Query(
        RejectedThen,
        """
        SELECT topic, offset, reason, path, digest, body FROM rejected FINAL
        WHERE partition = {partition:UInt32}
          AND (topic = 'events' AND offset < {events:UInt64}
               OR topic = 'items' AND offset < {items:UInt64})""",
    ),
    "hours": Query(
        HourThen,
        """
        SELECT hour, first, counts, uncounted FROM hours FINAL
        WHERE partition = {partition:UInt32} AND hour < {hour:UInt32}""",
    ),
    "counts": Query(
        CountThen,
        f"""
        SELECT {", ".join(CountThen._fields)} FROM counts FINAL
        WHERE partition = {{partition:UInt32}} AND hour < {{hour:UInt32}}""",
    ),
    "responses": Query(
        ResponseThen,
        """
        SELECT toString(sample_id), label_version, version, label, part, norm, scale, loss, margin,
               alignment
        FROM responses FINAL
        WHERE partition = {partition:UInt32} AND offset < {samples:UInt64}
          AND version <= {version:UInt32}""",
    ),
    "judgements": Query(
        JudgementThen,
        """
        SELECT judgement, version, toUnixTimestamp64Milli(event_time), core, edge, contradictory,
               spent, canaries, verdict
        FROM judgements FINAL
        WHERE partition = {partition:UInt32} AND judgement <= {judgement:UInt64}
          AND judgement % {every:UInt64} = 0""",
    ),
    "standings": Query(
        StandingThen,
        """
        SELECT toString(sample_id), label_version, standing, reason, judgement, p_value, evidence,
               importance, margin
        FROM moves FINAL WHERE partition = {partition:UInt32} AND judgement <= {judgement:UInt64}
        ORDER BY sample_id, judgement DESC, label_version DESC LIMIT 1 BY sample_id""",
    ),
}
"""The rows that a partition had, by table; rows written only because a log ended are left out."""


class OneOffset(NamedTuple):
    """The next offset in the ledger of a partition of topic `events`."""

    partition: int
    next_offset: int


NEWEST_OFFSET: Final = Query(
    OneOffset,
    "SELECT partition, max(next_offset) FROM ledger WHERE topic = 'events' GROUP BY partition",
)
