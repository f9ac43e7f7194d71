"""Queries for reports: what a history holds, what it refused, which trusted samples it has."""

from collections.abc import Set as AbstractSet
from typing import Final, NamedTuple
from uuid import UUID

from mainstem.store.named import Query
from mainstem.store.store import Store

__all__ = [
    "DECIDES",
    "GATE_SETS",
    "HELD",
    "REFUSED",
    "VERDICTS",
    "Held",
    "Refused",
    "Verdict",
    "ids_among",
    "items_asked",
    "kept_apart",
    "refusals",
    "trusted_met",
]


class Held(NamedTuple):
    """How many samples, standings and versions a history holds."""

    samples: int
    standings: int
    versions: int


class Verdict(NamedTuple):
    """The verdict of the newest judgement of a partition, and how many canaries it had.

    `verdict` is `given`, or the reason why no sample could be called contradictory.
    """

    partition: int
    verdict: str
    canaries: int


class Refused(NamedTuple):
    """How many events were refused for one reason, at one path within the event."""

    reason: str
    path: str
    times: int


HELD: Final = Query(
    Held,
    """
    SELECT (SELECT count() FROM samples_now) AS samples,
           (SELECT count() FROM standings_now) AS standings,
           (SELECT count() FROM (SELECT * FROM versions FINAL)) AS versions""",
)
VERDICTS: Final = Query(
    Verdict,
    """
    SELECT partition, argMax(verdict, judgement) AS verdict, argMax(canaries, judgement) AS canaries
    FROM judgements GROUP BY partition ORDER BY partition""",
)
DECIDES: Final = """
    SELECT partition, verdict, COLUMNS('^decides$') FROM judgements FINAL
    ORDER BY partition, judgement DESC LIMIT 1 BY partition"""
"""What decided the newest judgement of each partition; see `GATE_SETS`."""
# subtle: by pattern, because a server's history that is only asked may lack the columns
GATE_SETS: Final = """
    SELECT partition, COLUMNS('^gate_') FROM judgements FINAL
    ORDER BY partition, judgement DESC LIMIT 1 BY partition"""
"""Confirmed gate samples, and wrong ones among them, by set, as of each newest judgement."""
REFUSED: Final = Query(
    Refused,
    """
    SELECT reason, path, count() AS times FROM (SELECT * FROM rejected FINAL)
    GROUP BY reason, path ORDER BY times DESC, reason, path LIMIT {most:UInt32}""",
)
"""The reasons for which events were refused, the most frequent first; at most `most`."""


def refusals(store: Store, most: int) -> list[Refused]:
    """The reasons for which events were refused, the most frequent first; at most `most`."""
    return REFUSED.of(store, most=most)


def trusted_met(store: Store) -> set[UUID]:
    """Ids of the samples in the history whose label somebody has confirmed or graded."""
    sql = "SELECT sample_id FROM trusted_now WHERE origin IN ('confirmed', 'graded')"
    return {sample_id for (sample_id,) in store.rows(sql)}


def kept_apart(store: Store) -> int:
    """How many samples only guide or check the model: those of `direction` and of `gate`."""
    [(count,)] = store.rows("SELECT count() FROM trusted_now WHERE part IN ('direction', 'gate')")
    return int(count)


def ids_among(store: Store, samples: AbstractSet[UUID], questions: AbstractSet[UUID]) -> set[UUID]:
    """The ids among these that the history holds; reads the ids of all samples, in bounded memory.

    Args:
        store: the history.
        samples: ids of samples.
        questions: ids of the questions of labelled texts.
    """
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
