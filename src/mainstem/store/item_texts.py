"""Samples whose item has another text by now, or is gone; views in `migrations/` define both.

A sample keeps the text of its moment. What the catalogue told after a moment of event time does not
count as of that moment, although an embedded history holds the items of its whole log.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from mainstem.store.named import Query
from mainstem.store.store import Store
from mainstem.store.views import with_views

__all__ = ["ITEM_OF_SAMPLE", "ItemOfSample", "Outdated", "outdated_samples", "samples_of_gone"]


class ItemOfSample(NamedTuple):
    """The item of a sample as of the newest question of the history.

    Attributes:
        source: source of the sample.
        changed: share of the words of its text and of the item's present text that are not in both;
            0 where the item has the same words.
        since: event time of the first other words; None where the item has the same words.
        text_now: present text of the item; empty where it has the same words.
        last_seen: when the item was last described or asked about; None where it never was.
        days: days of event time since the first other words; 0 where there are none.
        unseen: days of event time since `last_seen`.
    """

    source: str
    changed: float
    since: datetime | None
    text_now: str
    last_seen: datetime | None
    days: float
    unseen: float


class Outdated(NamedTuple):
    """A sample whose item got other words, and when it got the first of them, in milliseconds."""

    sample_id: UUID
    since: int


class _Id(NamedTuple):
    sample_id: UUID


_ITEM: Final = """(
    SELECT item_id FROM samples WHERE sample_id = {sample:UUID} AND item_id != '')"""
# subtle: a history that has not been migrated lacks these views, so the query brings its own
ITEM_OF_SAMPLE: Final = Query(
    ItemOfSample,
    with_views(
        """
        SELECT source, c.changed AS changed, if(c.changed > 0, c.since, NULL) AS since,
               c.text_now AS text_now, if(i.item_id = '', NULL, i.last_seen) AS last_seen,
               if(c.changed > 0, dateDiff('millisecond', c.since, newest), 0) / 86400000 AS days,
               if(i.item_id = '', 0, dateDiff('millisecond', i.last_seen, newest)) / 86400000
                   AS unseen
        FROM samples_now AS s
        CROSS JOIN (SELECT max(event_time) AS newest FROM samples) AS n
        LEFT JOIN changed_texts AS c ON s.sample_id = c.sample_id
        LEFT JOIN items_seen AS i ON s.item_id = i.item_id""",
        {
            "samples_now": """
                SELECT * FROM samples FINAL WHERE sample_id = {sample:UUID}
                ORDER BY label_version DESC LIMIT 1""",
            "items_so_far": f"""
                SELECT * FROM items FINAL
                WHERE item_id IN {_ITEM} AND event_time <= (SELECT max(event_time) FROM samples)""",
            "samples_so_far": f"""
                SELECT item_id, source, event_time FROM samples WHERE item_id IN {_ITEM}""",
        },
        *("texts_of_item", "changed_texts", "items_seen"),
    ),
)
"""The item of one sample, `{sample:UUID}`."""
_ITEMS_THEN: Final = """
    SELECT * FROM items FINAL WHERE event_time <= fromUnixTimestamp64Milli({now:Int64})"""
_OUTDATED: Final = Query(
    Outdated,
    with_views(
        """
        SELECT sample_id, toUnixTimestamp64Milli(since) FROM changed_texts
        WHERE changed > {beyond:Float64}""",
        {
            "samples_now": """
                SELECT * FROM samples
                WHERE event_time >= fromUnixTimestamp64Milli({oldest:Int64})
                ORDER BY sample_id LIMIT 1 BY sample_id""",
            "items_so_far": _ITEMS_THEN,
        },
        *("texts_of_item", "changed_texts"),
    ),
)
_LATELY: Final = "event_time >= fromUnixTimestamp64Milli({lately:Int64})"
_OF_GONE: Final = Query(
    _Id,
    with_views(
        """
        SELECT DISTINCT sample_id FROM samples
        WHERE event_time >= fromUnixTimestamp64Milli({oldest:Int64})
          AND item_id != '' AND source != 'labelled'
          AND item_id NOT IN (SELECT item_id FROM items_seen)""",
        {
            "items_so_far": f"{_ITEMS_THEN} AND {_LATELY}",
            # subtle: what was accepted later is left out by position, because the histories of two
            # learners agree on positions, and not on how far they have come in event time
            "samples_so_far": f"""
                SELECT item_id, source, event_time FROM samples
                WHERE {_LATELY} AND (sample_id, label_version) IN (
                    SELECT sample_id, label_version FROM accepted_samples
                    WHERE {_LATELY} AND position < {{ends:Array(UInt64)}}[partition + 1])""",
        },
        "items_seen",
    ),
)


def outdated_samples(store: Store, *, oldest: int, now: int, beyond: float) -> Iterator[Outdated]:
    """The samples whose item had, at a moment, other words than theirs.

    Args:
        store: the history.
        oldest: event time in milliseconds from which on samples count.
        now: the moment, as event time in milliseconds.
        beyond: share of words that must have changed; a sample of which just so many have is left
            out.
    """
    return _OUTDATED.stream(store, oldest=oldest, now=now, beyond=beyond)


def samples_of_gone(
    store: Store, *, oldest: int, now: int, lately: int, ends: Mapping[int, int]
) -> Iterator[UUID]:
    """The samples whose item was neither described nor asked about lately, as of a moment.

    Args:
        store: the history.
        oldest: event time in milliseconds from which on samples count.
        now: the moment, as event time in milliseconds.
        lately: event time in milliseconds from which on an item must have been seen.
        ends: position of the next sample of each partition; earlier samples are signs of life.
    """
    places = [ends.get(one, 0) for one in range(max(ends, default=-1) + 1)]
    found = _OF_GONE.stream(store, oldest=oldest, now=now, lately=lately, ends=places)
    return (one.sample_id for one in found)
