"""What samples say, as people and models read them."""

from collections.abc import Iterator
from typing import Final, NamedTuple
from uuid import UUID

from mainstem.events import Item
from mainstem.store.named import Query
from mainstem.store.store import Store

__all__ = [
    "MEMBERS",
    "NEWEST_PAIRS",
    "Bought",
    "LabelledPair",
    "Member",
    "Words",
    "bought_before",
    "items_told",
    "queries_asked",
    "samples_so_far",
    "words_of",
]


class LabelledPair(NamedTuple):
    """Two texts and the label of the pair."""

    context_text: str
    item_text: str
    label: int


class Member(NamedTuple):
    """A sample of one set: what the last judgement found, and the sample's texts."""

    sample_id: UUID
    reason: str
    importance: float | None
    evidence: float | None
    p_value: float | None
    label: int
    source: str
    context_text: str
    item_text: str


class Words(NamedTuple):
    """A sample in words: its texts, its label and what it came from."""

    context_text: str
    item_text: str
    label: int
    source: str


class Bought(NamedTuple):
    """An item that was bought, and what the shopper had seen before."""

    item_id: str
    history: list[str]


NEWEST_PAIRS: Final = Query(
    LabelledPair,
    "SELECT context_text, item_text, label FROM samples_now ORDER BY event_time DESC, sample_id LIMIT {most:UInt32}",
)
"""The newest samples' texts and labels, at most so many."""
MEMBERS: Final = Query(
    Member,
    """
    SELECT t.sample_id AS sample_id, t.reason AS reason, t.importance AS importance, t.evidence AS evidence,
           t.p_value AS p_value, s.label AS label, s.source AS source, s.context_text AS context_text,
           s.item_text AS item_text
    FROM standings_now AS t INNER JOIN samples_now AS s ON s.sample_id = t.sample_id
    WHERE t.standing = {standing:String} ORDER BY importance DESC, sample_id LIMIT {most:UInt32}""",
)
"""The samples of one set, the most important first, at most so many."""
_WORDS: Final = Query(
    Words,
    "SELECT context_text, item_text, label, source FROM samples_now WHERE sample_id = {sample_id:UUID}",
)
_BOUGHT: Final = Query(
    Bought,
    """
    SELECT item_id, history FROM samples_now
    WHERE source != 'drawn' AND toUnixTimestamp64Milli(event_time) < {before:Int64} AND label = 1""",
)


def words_of(store: Store, sample_id: UUID) -> Words:
    """A sample of the history in words."""
    (words,) = _WORDS.of(store, sample_id=str(sample_id))
    return words


def bought_before(store: Store, before: int) -> Iterator[Bought]:
    """What was bought, of questions asked before an event time in milliseconds."""
    return _BOUGHT.stream(store, before=before)


def items_told(store: Store) -> Iterator[Item]:
    """The catalogue's events, as they were told."""
    names = ("item_id", "event_id", "event_timestamp", "title", "category", "brand", "price")
    sql = "SELECT item_id, event_id, toUnixTimestamp64Milli(event_time), title, category, brand, price FROM items FINAL"
    return (Item(**dict(zip(names, row, strict=True))) for row in store.stream(sql))


def queries_asked(store: Store, most: int) -> Iterator[str]:
    """What shoppers asked, each query once; at most so many."""
    sql = "SELECT DISTINCT query FROM samples WHERE query != '' LIMIT {most:UInt64}"
    return (query for (query,) in store.stream(sql, most=most))


def samples_so_far(store: Store) -> int:
    """About how many samples there are."""
    [(count,)] = store.rows("SELECT uniq(sample_id) FROM samples")
    return int(count)
