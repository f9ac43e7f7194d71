"""The open hour of a joiner: what has happened in it so far, and its counts once it closes.

Events are folded in event time order, so only one hour of a partition is open at a time. It keeps
what happened as plain lists in the order of the fold, so it costs little for each event and is the
same after a snapshot. Whoever reads the counts of a closed hour adds them up.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import Final, TypeAlias, overload

from msgspec import Struct, field

from mainstem.behaviour.counts import HOUR, Count, Hour

__all__ = ["OUTCOMES", "OpenHour", "Tally", "ask", "close"]

OUTCOMES: Final = ("click", "cart", "purchase", "return")
"""Kinds of outcomes, in the order of their numbers in a `Count`."""
# subtle: sums of a key begin with those of the outcomes, so the number of a kind is its place
_SHOWN: Final = len(OUTCOMES)
_SHOPPERS: Final = _SHOWN + 1
_MOST_ASKED: Final = 500  # queries of one shopper and day that count; who asks more is a robot
_DAY: Final = 24  # hours

_Sums: TypeAlias = dict[tuple[str, str, int], list[int]]
"""Sums by key, other and position of a `Count`: of each outcome, then shown and shoppers."""
_Shown: TypeAlias = list[tuple[str, list[str], list[int]]]
_Outcomes: TypeAlias = list[tuple[int, str, str, int, Sequence[str]]]


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
    shown: _Shown = field(default_factory=list)
    outcomes: _Outcomes = field(default_factory=list)
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
    hour: OpenHour,
    partition: int,
    until: int,
    categories_of: Callable[[Iterable[str], int], Mapping[str, str]],
) -> Hour:
    """Close the open hour and all hours before another one, which is then the open hour.

    Args:
        hour: the open hour, which is emptied.
        partition: partition of the events.
        until: the hour that is open from now on.
        categories_of: gives the categories of items as of an event time; empty if unknown.

    Returns:
        The hour that was open, with its counts.
    """
    end = (hour.hour + 1) * HOUR - 1
    closed = Hour(
        partition=partition,
        first=hour.hour,
        hour=until - 1,
        counts=Tally(
            hour.shown, hour.outcomes, hour.queries, lambda items: categories_of(items, end)
        ),
        uncounted=hour.uncounted,
    )
    if until // _DAY > hour.hour // _DAY:
        hour.asked = {}
    hour.hour, hour.uncounted = until, 0
    hour.shown, hour.outcomes, hour.queries = [], [], []
    return closed


class Tally(Sequence[Count]):
    """Counts of a closed hour, which are added up when they are first read.

    A joiner has no time for that, and an hour that is published again need not be read.

    Args:
        shown, outcomes, queries: what happened, as in `OpenHour`.
        categories_of: gives the category that each item had at the end of the hour.
    """

    def __init__(
        self,
        shown: _Shown,
        outcomes: _Outcomes,
        queries: list[str],
        categories_of: Callable[[Iterable[str]], Mapping[str, str]],
    ) -> None:
        self._shown, self._outcomes, self._queries = shown, outcomes, queries
        self._categories_of = categories_of

    @overload
    def __getitem__(self, place: int) -> Count: ...

    @overload
    def __getitem__(self, place: slice) -> list[Count]: ...

    def __getitem__(self, place: int | slice) -> Count | list[Count]:
        return self._rows[place]

    def __iter__(self) -> Iterator[Count]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self._rows == list(other)

    def __hash__(self) -> int:
        return hash(tuple(self._rows))

    def __repr__(self) -> str:
        return repr(self._rows)

    @cached_property
    def _rows(self) -> list[Count]:
        if not (self._shown or self._outcomes or self._queries):
            return []
        return [
            *_counts("item", self._items()),
            *_counts("category", self._categories()),
            *_counts("query", self._asked()),
            *_counts("query_item", self._under_queries()),
            *_counts("pair", self._pairs()),
        ]

    def _items(self) -> _Sums:
        sums: _Sums = {}
        for _, items, places in self._shown:
            for item, place in zip(items, places, strict=True):
                sums.setdefault((item, "", place), [0, 0, 0, 0, 0, 0])[_SHOWN] += 1
        for kind, _, item, place, _ in self._outcomes:
            sums.setdefault((item, "", place), [0, 0, 0, 0, 0, 0])[kind] += 1
        return sums

    def _categories(self) -> _Sums:
        shown = chain.from_iterable(items for _, items, _ in self._shown)
        category = self._categories_of(chain(shown, (item for _, _, item, _, _ in self._outcomes)))
        sums: _Sums = {}
        for _, items, places in self._shown:
            for item, place in zip(items, places, strict=True):
                sums.setdefault((category[item], "", place), [0, 0, 0, 0, 0, 0])[_SHOWN] += 1
        for kind, _, item, place, _ in self._outcomes:
            sums.setdefault((category[item], "", place), [0, 0, 0, 0, 0, 0])[kind] += 1
        return sums

    def _asked(self) -> _Sums:
        sums: _Sums = {}
        for query, items, _ in self._shown:
            if query:
                sums.setdefault((query, "", 0), [0, 0, 0, 0, 0, 0])[_SHOWN] += len(items)
        for kind, query, _, _, _ in self._outcomes:
            if query:
                sums.setdefault((query, "", 0), [0, 0, 0, 0, 0, 0])[kind] += 1
        for query in self._queries:
            sums.setdefault((query, "", 0), [0, 0, 0, 0, 0, 0])[_SHOPPERS] += 1
        return sums

    def _under_queries(self) -> _Sums:
        sums: _Sums = {}
        for query, items, places in self._shown:
            if query:
                for item, place in zip(items, places, strict=True):
                    sums.setdefault((query, item, place), [0, 0, 0, 0, 0, 0])[_SHOWN] += 1
        for kind, query, item, place, _ in self._outcomes:
            if query:
                sums.setdefault((query, item, place), [0, 0, 0, 0, 0, 0])[kind] += 1
        return sums

    def _pairs(self) -> _Sums:
        """How often each pair of items was the item of an outcome and one touched before it."""
        sums: _Sums = {}
        for kind, _, item, _, before in self._outcomes:
            for other in before:
                if other != item:
                    pair = (item, other, 0) if item < other else (other, item, 0)
                    sums.setdefault(pair, [0, 0, 0, 0, 0, 0])[kind] += 1
        return sums


def _counts(kind: str, sums: _Sums) -> list[Count]:
    return [
        Count(kind, key, other, place, shown, clicks, carts, purchases, returns, shoppers)
        for (key, other, place), numbers in sums.items()
        for clicks, carts, purchases, returns, shown, shoppers in (numbers,)
    ]
