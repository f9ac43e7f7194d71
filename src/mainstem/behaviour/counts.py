"""Counts of one partition in one hour of event time, as joiners publish them.

An hour is closed once the watermark of its partition has passed its end. Nothing is added to it
later, so its counts can be written twice, or added up by several readers, with the same result.
"""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from msgspec import Struct

from mainstem.settings.durations import HOUR

__all__ = ["HOUR", "KINDS", "Count", "Hour", "hour_of", "query_key"]

KINDS: Final = ("item", "category", "query", "query_item", "pair")
"""What a count is about."""


class Count(Struct, frozen=True, order=True, array_like=True, gc=False):
    """What happened to one thing in one hour, at one position.

    Attributes:
        kind: one of `KINDS`.
        key: an item id, a category or the digest of a query; of a pair, the smaller item id.
        other: item id of a `query_item`; of a pair, the larger item id; empty otherwise.
        position: position, from 1, at which an impression showed the item. It is 0 if the item was
            in no impression, and always 0 for a query and for a pair. An outcome counts at the
            position at which its question showed the item.
        shown: number of times the item was shown. A view that names no impression shows its item.
        clicked, carted, purchased, returned: number of outcomes of each kind.
        shoppers: number of shoppers who asked this query for the first time on that UTC day; 0 if
            the count is not of a query.
    """

    kind: str
    key: str
    other: str
    position: int
    shown: int
    clicked: int
    carted: int
    purchased: int
    returned: int
    shoppers: int


class Hour(Struct, frozen=True, kw_only=True):
    """Closes hours of one partition of `events`; a joiner emits it once the watermark is past them.

    A run of hours in which nothing was counted is closed together with the hour before it.

    Attributes:
        partition: partition whose events were counted.
        first: the hour of the counts, as a number of hours since 1970 UTC.
        hour: the last hour that this closes. Hours after `first` up to this one have no counts.
        counts: counts of hour `first`.
        uncounted: events that came since the record before this one and whose hour was closed
            already. No record counts them.
        provisional: whether a final tick closed the hour. It is withdrawn if the log grows.
    """

    partition: int
    first: int
    hour: int
    counts: Sequence[Count]
    uncounted: int = 0
    provisional: bool = False


def hour_of(time: int) -> int:
    """The hour that holds an event time, as a number of hours since 1970 UTC.

    Args:
        time: event time in milliseconds since 1970 UTC.

    Example:
        >>> hour_of(3_599_999), hour_of(3_600_000)
        (0, 1)
    """
    return time // HOUR


@lru_cache(maxsize=65_536)  # shoppers ask the same queries again and again
def query_key(query: str) -> str:
    """The digest under which a query is counted; case and spacing do not matter.

    Args:
        query: words of the query, as the shopper typed them.

    Returns:
        16 hexadecimal digits; empty for a query without words.

    Example:
        >>> query_key(" Red  CUP") == query_key("red cup"), query_key(" ")
        (True, '')
    """
    words = " ".join(query.casefold().split())
    if not words:
        return ""
    return hashlib.blake2b(words.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
