"""The open hour of a joiner: what has happened in it so far, and its counts once it closes.

Events are folded in event time order, so only one hour of a partition is open at a time. It keeps
what happened as plain lists in the order of the fold, so it costs little for each event and is the
same after a snapshot. Whoever reads the counts of a closed hour adds them up.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property, partial
from itertools import chain, repeat
from typing import Final, TypeAlias, overload

from msgspec import Struct, field

from mainstem.behaviour.counts import HOUR, Count, Hour

__all__ = ["OUTCOMES", "OpenHour", "Tally", "ask", "close"]

OUTCOMES: Final = ("click", "cart", "purchase", "return")
"""Kinds of outcomes, in the order of their numbers in a `Count`."""
_SHOPPERS: Final = len(OUTCOMES)  # place of the shoppers after the outcomes in a `Count`
_MOST_ASKED: Final = 500  # queries of one shopper and day that count; who asks more is a robot
_DAY: Final = 24  # hours

_Key: TypeAlias = tuple[str, str, int]
"""Key, other and position of a `Count`."""
_Sums: TypeAlias = dict[_Key, int]
_Shown: TypeAlias = list[tuple[str, list[str], list[int]]]
_Outcomes: TypeAlias = list[tuple[int, str, str, int, Sequence[str]]]

_COUNT: Final[Callable[[tuple[object, ...]], Count]] = partial(tuple.__new__, Count)


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
    hour: OpenHour, partition: int, until: int, category_of: Callable[[str, int], str]
) -> Hour:
    """Close the open hour and all hours before another one, which is then the open hour.

    Args:
        hour: the open hour, which is emptied.
        partition: partition of the events.
        until: the hour that is open from now on.
        category_of: gives the category of an item as of an event time; empty if it is unknown.

    Returns:
        The hour that was open, with its counts.
    """
    end = (hour.hour + 1) * HOUR - 1
    closed = Hour(
        partition=partition,
        first=hour.hour,
        hour=until - 1,
        counts=Tally(hour.shown, hour.outcomes, hour.queries, lambda item: category_of(item, end)),
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
        category_of: gives the category that an item had at the end of the hour.
    """

    def __init__(
        self,
        shown: _Shown,
        outcomes: _Outcomes,
        queries: list[str],
        category_of: Callable[[str], str],
    ) -> None:
        self._shown, self._outcomes, self._queries = shown, outcomes, queries
        self._category_of = category_of

    @overload
    def __getitem__(self, place: int) -> Count: ...

    @overload
    def __getitem__(self, place: slice) -> list[Count]: ...

    def __getitem__(self, place: int | slice) -> Count | list[Count]:
        return self._rows[place]

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
            *_rows("item", self._shown_items, _answered(self._by_item())),
            *self._categories(),
            *self._queries_asked(),
            *_rows("query_item", self._shown_under(), _answered(self._by_query_item())),
            *_pairs([self._together(kind) for kind in range(len(OUTCOMES))]),
        ]

    @cached_property
    def _shown_items(self) -> _Sums:
        shown = (zip(items, repeat(""), places) for _, items, places in self._shown)
        return Counter(chain.from_iterable(shown))

    def _shown_under(self) -> _Sums:
        shown = (zip(repeat(key), items, places) for key, items, places in self._shown if key)
        return Counter(chain.from_iterable(shown))

    def _by_item(self) -> Iterator[tuple[_Key, int]]:
        return (((item, "", place), kind) for kind, _, item, place, _ in self._outcomes)

    def _by_query_item(self) -> Iterator[tuple[_Key, int]]:
        return (
            ((query, item, place), kind) for kind, query, item, place, _ in self._outcomes if query
        )

    def _categories(self) -> Iterable[Count]:
        items = chain((key[0] for key in self._shown_items), (one[2] for one in self._outcomes))
        category = {item: self._category_of(item) for item in dict.fromkeys(items)}
        shown: _Sums = {}
        for (item, _, place), count in self._shown_items.items():
            key = (category[item], "", place)
            shown[key] = shown.get(key, 0) + count
        answered = (
            ((category[item], "", place), kind) for kind, _, item, place, _ in self._outcomes
        )
        return _rows("category", shown, _answered(answered))

    def _queries_asked(self) -> Iterable[Count]:
        shown: _Sums = {}
        for query, items, _ in self._shown:
            if query:
                shown[query, "", 0] = shown.get((query, "", 0), 0) + len(items)
        answered = (((query, "", 0), kind) for kind, query, *_ in self._outcomes if query)
        asked = (((query, "", 0), _SHOPPERS) for query in self._queries)
        return _rows("query", shown, _answered(chain(answered, asked)))

    def _together(self, kind: int) -> dict[tuple[str, str], int]:
        """How often each pair of items was the item of an outcome and one touched before it."""
        return Counter(
            [
                (item, other) if item < other else (other, item)
                for number, _, item, _, before in self._outcomes
                if number == kind
                for other in before
                if other != item
            ]
        )


def _answered(outcomes: Iterable[tuple[_Key, int]]) -> dict[_Key, list[int]]:
    """Numbers of the outcomes of each kind, and of shoppers, by key."""
    found: dict[_Key, list[int]] = {}
    for key, kind in outcomes:
        sums = found.get(key)
        if sums is None:
            sums = found[key] = [0, 0, 0, 0, 0]
        sums[kind] += 1
    return found


def _rows(kind: str, shown: _Sums, answered: dict[_Key, list[int]]) -> list[Count]:
    rows = [
        _COUNT((kind, key, other, place, count, 0, 0, 0, 0, 0))
        for (key, other, place), count in shown.items()
        if (key, other, place) not in answered
    ]
    rows += [_COUNT((kind, *key, shown.get(key, 0), *sums)) for key, sums in answered.items()]
    return rows


def _pairs(sums: list[dict[tuple[str, str], int]]) -> list[Count]:
    clicked, carted, purchased, returned = sums
    if not (clicked or carted or returned):  # a short cut for logs of purchases
        return [
            _COUNT(("pair", one, other, 0, 0, 0, 0, count, 0, 0))
            for (one, other), count in purchased.items()
        ]
    return [
        _COUNT(("pair", *key, 0, 0, *[one.get(key, 0) for one in sums], 0))
        for key in dict.fromkeys(chain.from_iterable(sums))
    ]
