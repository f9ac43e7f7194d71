"""The open hour of a joiner: what has happened in it so far, and its counts once it closes.

Events are folded in event time order, so only one hour of a partition is open at a time. It keeps
what happened as plain lists, in the order of the fold, and adds it up when it closes. So its state
is the same after a snapshot, and an event costs little.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain, repeat
from typing import Final, TypeAlias

from msgspec import Struct, field

from mainstem.behaviour.counts import HOUR, Count, Hour

__all__ = ["OUTCOMES", "OpenHour", "ask", "close"]

OUTCOMES: Final = ("click", "cart", "purchase", "return")
"""Kinds of outcomes, in the order of their numbers in a `Count`."""
_MOST_ASKED: Final = 500  # queries of one shopper and day that count; who asks more is a robot
_DAY: Final = 24  # hours

_Key: TypeAlias = tuple[str, str, int]
"""Key, other and position of a `Count`."""
_Sums: TypeAlias = dict[_Key, int]
_Outcomes: TypeAlias = list[tuple[int, str, str, int, list[str]]]

_COUNT: Final[Callable[[tuple[object, ...]], Count]] = partial(tuple.__new__, Count)
_ZEROS: Final = (0,) * 6  # the numbers of a `Count`


class OpenHour(Struct, kw_only=True):
    """What happened in an hour that is not closed yet.

    Attributes:
        hour: number of the hour since 1970 UTC; -1 before the first event.
        uncounted: events so far whose hour had been closed when they came.
        shown: digest of the query, items and their positions; none of the positions if the items
            were in no impression.
        outcomes: number of the kind in `OUTCOMES`, digest of the query, item, its position, and
            items that the shopper had touched before.
        queries: digest of a query, for each shopper who asked it for the first time that day.
        asked: digests of the queries of each shopper on the UTC day of the hour.
    """

    hour: int = -1
    uncounted: int = 0
    shown: list[tuple[str, list[str], list[int]]] = field(default_factory=list)
    outcomes: list[tuple[int, str, str, int, list[str]]] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)
    asked: dict[str, list[str]] = field(default_factory=dict)


def ask(hour: OpenHour, user: str, query: str) -> None:
    """Note that a shopper asked a query.

    Args:
        hour: the open hour.
        user: pseudonym of the shopper.
        query: digest of the query, which may not be empty.
    """
    asked = hour.asked.setdefault(user, [])
    if query not in asked and len(asked) < _MOST_ASKED:
        asked.append(query)
        hour.queries.append(query)


def close(
    hour: OpenHour, partition: int, until: int, category_of: Callable[[str, int], str]
) -> Hour:
    """Close the open hour and all hours before another one, which is then the open hour.

    Args:
        hour: the open hour, which is emptied.
        partition: partition of the events.
        until: the hour that is open from now on.
        category_of: gives the category of an item as of an event time; empty if it is unknown.

    Returns:
        The counts of the hour that was open.
    """
    closed = Hour(
        partition=partition,
        first=hour.hour,
        hour=until - 1,
        counts=_counts(hour, category_of) if hour.shown or hour.outcomes or hour.queries else [],
        uncounted=hour.uncounted,
    )
    if until // _DAY > hour.hour // _DAY:
        hour.asked = {}
    hour.hour, hour.uncounted = until, 0
    hour.shown, hour.outcomes, hour.queries = [], [], []
    return closed


def _counts(hour: OpenHour, category_of: Callable[[str, int], str]) -> list[Count]:
    by_kind = [[one for one in hour.outcomes if one[0] == kind] for kind in range(len(OUTCOMES))]
    items = [_shown(hour), *map(_answered, by_kind)]
    under = [_shown_under(hour), *map(_answered_under, by_kind)]
    end = (hour.hour + 1) * HOUR - 1
    category = {item: category_of(item, end) for item, _, _ in chain.from_iterable(items)}
    return [
        *_rows("item", items),
        *_rows("category", [_by_category(sums, category) for sums in items]),
        *_rows("query", [*map(_by_query, under), _asked(hour)]),
        *_rows("query_item", under),
        *_rows("pair", [{}, *map(_together, by_kind)]),
    ]


def _shown(hour: OpenHour) -> _Sums:
    """How often each item was shown at each position."""
    return Counter(
        chain.from_iterable(zip(items, repeat(""), places) for _, items, places in hour.shown)
    )


def _shown_under(hour: OpenHour) -> _Sums:
    """How often each item was shown at each position under each query."""
    return Counter(
        chain.from_iterable(
            zip(repeat(query), items, places) for query, items, places in hour.shown if query
        )
    )


def _answered(outcomes: _Outcomes) -> _Sums:
    return Counter([(item, "", position) for _, _, item, position, _ in outcomes])


def _answered_under(outcomes: _Outcomes) -> _Sums:
    return Counter([(query, item, position) for _, query, item, position, _ in outcomes if query])


def _together(outcomes: _Outcomes) -> _Sums:
    """How often each pair of items was the item of an outcome and one touched before it."""
    return Counter(
        [
            (item, other, 0) if item < other else (other, item, 0)
            for _, _, item, _, before in outcomes
            for other in before
            if other != item
        ]
    )


def _asked(hour: OpenHour) -> _Sums:
    return Counter([(query, "", 0) for query in hour.queries])


def _by_category(sums: _Sums, category: dict[str, str]) -> _Sums:
    summed: _Sums = {}
    for (item, _, position), count in sums.items():
        key = (category[item], "", position)
        summed[key] = summed.get(key, 0) + count
    return summed


def _by_query(sums: _Sums) -> _Sums:
    summed: _Sums = {}
    for (query, _, _), count in sums.items():
        key = (query, "", 0)
        summed[key] = summed.get(key, 0) + count
    return summed


def _rows(kind: str, sums: Sequence[_Sums]) -> Iterator[Count]:
    """One count for each key that any of the sums has, in the order of the fold.

    Args:
        kind: kind of the counts.
        sums: their numbers by key, in the order of the fields of `Count`; the last may be missing.
    """
    there = [(place, one) for place, one in enumerate(sums) if one]
    if len(there) == 1:  # a short cut, because most keys have one number
        [(place, only)] = there
        before, after = _ZEROS[:place], _ZEROS[place + 1 :]
        for key, count in only.items():
            yield _COUNT((kind, *key, *before, count, *after))
        return
    missing = _ZEROS[len(sums) :]
    for key in dict.fromkeys(chain.from_iterable(sums)):
        yield _COUNT((kind, *key, *[one.get(key, 0) for one in sums], *missing))
