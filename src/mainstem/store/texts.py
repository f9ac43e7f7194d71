"""The texts of samples and of the catalogue."""

from collections.abc import Iterator
from typing import Final, NamedTuple
from uuid import UUID

from mainstem.events import Item
from mainstem.store.named import Query
from mainstem.store.store import Store

__all__ = [
    "BOUGHT",
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
    """The two texts of a sample, and its label."""

    context_text: str
    item_text: str
    label: int


class Member(NamedTuple):
    """A sample with one standing: the figures at its last judgement, its label and its texts."""

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
    """The two texts of a sample, its label, and the kind of question that it answers (`source`)."""

    context_text: str
    item_text: str
    label: int
    source: str


class Bought(NamedTuple):
    """An item that was bought, and the items that the shopper touched before the question."""

    item_id: str
    history: list[str]


class _Item(NamedTuple):
    item_id: str
    event_id: str
    event_timestamp: int
    title: str
    category: str
    brand: str
    price: float | None


class _Asked(NamedTuple):
    query: str


class _Counted(NamedTuple):
    samples: int


NEWEST_PAIRS: Final = Query(
    LabelledPair,
    """
    SELECT context_text, item_text, label FROM samples_now
    ORDER BY event_time DESC, sample_id LIMIT {most:UInt32}""",
)
"""Texts and labels of the newest samples, at most `most`."""
MEMBERS: Final = Query(
    Member,
    """
    SELECT t.sample_id AS sample_id, t.reason AS reason, t.importance AS importance,
           t.evidence AS evidence, t.p_value AS p_value, s.label AS label, s.source AS source,
           s.context_text AS context_text, s.item_text AS item_text
    FROM standings_now AS t INNER JOIN samples_now AS s ON s.sample_id = t.sample_id
    WHERE t.standing = {members_of:String} OR t.reason = {members_of:String}
    ORDER BY importance DESC, sample_id LIMIT {most:UInt32}""",
)
"""The samples with one standing, the most important first, at most `most`."""
_WORDS: Final = Query(
    Words,
    """
    SELECT context_text, item_text, label, source FROM samples_now
    WHERE sample_id = {sample_id:UUID}""",
)
BOUGHT: Final = Query(
    Bought,
    """
    SELECT item_id, history FROM samples_now
    WHERE source != 'drawn' AND label = 1
      AND toUnixTimestamp64Milli(event_time) < {before:Int64}""",
)
"""Items that were bought after questions asked before an event time, in milliseconds."""
_ITEMS: Final = Query(
    _Item,
    """
    SELECT item_id, event_id, toUnixTimestamp64Milli(event_time), title, category, brand, price
    FROM items FINAL""",
)
_QUERIES: Final = Query(
    _Asked, "SELECT DISTINCT query FROM samples WHERE query != '' LIMIT {most:UInt64}"
)
_SAMPLES: Final = Query(_Counted, "SELECT uniq(sample_id) FROM samples")


def words_of(store: Store, sample_id: UUID) -> Words:
    """Texts, label and source of a sample that is in the history."""
    (words,) = _WORDS.of(store, sample_id=str(sample_id))
    return words


def bought_before(store: Store, before: int) -> Iterator[Bought]:
    """Items that were bought after questions asked before an event time, in milliseconds."""
    return BOUGHT.stream(store, before=before)


def items_told(store: Store) -> Iterator[Item]:
    """The item events that the catalogue consists of."""
    return (Item(**one._asdict()) for one in _ITEMS.stream(store))


def queries_asked(store: Store, most: int) -> Iterator[str]:
    """Queries that shoppers asked, each once; at most `most`."""
    return (one.query for one in _QUERIES.stream(store, most=most))


def samples_so_far(store: Store) -> int:
    """About how many samples the history holds; the engine estimates it."""
    [found] = _SAMPLES.of(store)
    return found.samples
