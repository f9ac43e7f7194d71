"""Queries about a history over event time: what versions said of samples, and the sets."""

from typing import Final, NamedTuple

from mainstem.store.named import Query

__all__ = [
    "ARRIVED",
    "HASHED",
    "JUDGED",
    "MADE",
    "STOOD",
    "Arrived",
    "Hashed",
    "Judged",
    "Made",
    "Standing",
]


class Arrived(NamedTuple):
    """A sample and what the version that scored it first, before any trained on it, said of it.

    Attributes:
        event_time: when its question was asked, in milliseconds.
        label, margin, loss: the label that it was scored with, and its margin and loss then.
        is_drawn: 1 if it is a drawn negative.
        item_id, history, context_text, item_text: its item, what the shopper touched before, and
            its texts.
    """

    event_time: int
    label: int
    margin: float
    loss: float
    is_drawn: int
    item_id: str
    history: list[str]
    context_text: str
    item_text: str


class Judged(NamedTuple):
    """How many samples of a partition each set had at a judgement, and its event time in ms."""

    event_time: int
    partition: int
    judgement: int
    core: int
    edge: int
    contradictory: int
    spent: int


class Made(NamedTuple):
    """A version and the event time at which it was made, in milliseconds."""

    version: int
    event_time: int
    promoted: int


class Hashed(NamedTuple):
    """How many rows the fingerprints of a history read."""

    samples: int
    counts: int


class Standing(NamedTuple):
    """Where a sample stands, for the hash of all standings."""

    sample_id: str
    label_version: int
    standing: str
    reason: str


ARRIVED: Final = Query(
    Arrived,
    """
    SELECT toUnixTimestamp64Milli(s.event_time) AS event_time, r.first.3 AS label,
           r.first.4 AS margin, r.first.5 AS loss, s.source = 'drawn' AS is_drawn, s.item_id,
           s.history, s.context_text, s.item_text
    FROM (
        SELECT * FROM samples_now ORDER BY event_time DESC, sample_id LIMIT {most:UInt64}) AS s
    INNER JOIN (
        SELECT sample_id, min((label_version, version, label, margin, loss)) AS first
        FROM responses FINAL GROUP BY sample_id) AS r
        ON s.sample_id = r.sample_id
    ORDER BY event_time, s.sample_id""",
)
"""The newest samples that have a visit, in the order of event time; at most `most`."""
JUDGED: Final = Query(
    Judged,
    """
    SELECT toUnixTimestamp64Milli(event_time) AS time, partition, judgement, core, edge,
           contradictory, spent
    FROM judgements FINAL ORDER BY time, judgement, partition""",
)
"""The sets at every judgement, in the order of event time."""
MADE: Final = Query(
    Made,
    """
    SELECT version, toUnixTimestamp64Milli(event_time) AS time, promoted
    FROM versions FINAL ORDER BY version""",
)
"""When each version was made, promoted or not."""
HASHED: Final = Query(
    Hashed,
    "SELECT (SELECT count() FROM samples) AS samples, (SELECT count() FROM counts) AS counts",
)
"""How many rows the fingerprints would read."""
STOOD: Final = Query(
    Standing,
    """
    SELECT toString(sample_id) AS id, label_version, standing, reason
    FROM standings_now ORDER BY id""",
)
"""Where every sample stands since its last judgement."""
