"""What a report asks the history, so that it can say what is in it and what is not."""

from collections.abc import Set as AbstractSet
from typing import Final, NamedTuple
from uuid import UUID

from mainstem.store.named import Query
from mainstem.store.store import Store

__all__ = [
    "HELD",
    "VERDICTS",
    "Held",
    "Refused",
    "Verdict",
    "ids_among",
    "items_asked",
    "refusals",
    "trusted_met",
]


class Held(NamedTuple):
    """How many samples, standings and versions a history holds."""

    samples: int
    standings: int
    versions: int


class Verdict(NamedTuple):
    """Whether the newest judgement of a partition can call anything contradictory, and how many canaries it had."""

    partition: int
    verdict: str
    canaries: int


class Refused(NamedTuple):
    """Why events were refused, where in them, and how many."""

    reason: str
    path: str
    times: int


HELD: Final = Query(
    Held,
    """
    SELECT (SELECT count() FROM samples_now) AS samples, (SELECT count() FROM standings_now) AS standings,
           (SELECT count() FROM (SELECT * FROM versions FINAL)) AS versions""",
)
VERDICTS: Final = Query(
    Verdict,
    """
    SELECT partition, argMax(verdict, judgement) AS verdict, argMax(canaries, judgement) AS canaries
    FROM judgements GROUP BY partition ORDER BY partition""",
)
_REFUSED: Final = Query(
    Refused,
    """
    SELECT reason, path, count() AS times FROM (SELECT * FROM rejected FINAL)
    GROUP BY reason, path ORDER BY times DESC, reason, path LIMIT {most:UInt32}""",
)


def refusals(store: Store, most: int) -> list[Refused]:
    """Why events were refused, the most frequent reason first."""
    return _REFUSED.of(store, most=most)


def trusted_met(store: Store) -> set[UUID]:
    """The samples that somebody vouches for and that the stream has brought."""
    sql = "SELECT sample_id FROM trusted_now WHERE origin IN ('confirmed', 'graded')"
    return {sample_id for (sample_id,) in store.rows(sql)}


def ids_among(store: Store, samples: AbstractSet[UUID], questions: AbstractSet[UUID]) -> set[UUID]:
    """Which of some samples, and of some labelled texts, the history holds; reads the ids of all, in bounded memory."""
    met: set[UUID] = set()
    for sample_id, question_id, source in store.stream(
        "SELECT DISTINCT sample_id, question_id, source FROM samples"
    ):
        met |= {sample_id} & samples
        if source == "labelled":
            met |= {question_id} & questions
    return met


def items_asked(store: Store) -> bool:
    """Whether any sample is about an item."""
    return bool(store.rows("SELECT 1 FROM samples WHERE item_id != '' LIMIT 1"))
