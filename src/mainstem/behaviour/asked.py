"""What a batch of samples asks of the counts: every key once, and the windows of each sample.

Counts are asked for once a batch, so samples share their keys here. The windows of a sample end
`feature_lag` before its question, at a whole hour, because only closed hours have counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol, Self, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from mainstem.behaviour.counts import HOUR, query_key

__all__ = ["DAYS", "Asked", "Moment", "end_of"]

DAYS: Final = (1, 7, 30, 90)
"""Lengths of the windows in days."""
_DAY: Final = 24
_Ints: TypeAlias = NDArray[np.int64]
_K = TypeVar("_K", str, tuple[str, str])


class _Moment(Protocol):
    @property
    def event_time(self) -> int: ...
    @property
    def query(self) -> str: ...
    @property
    def history(self) -> Sequence[str]: ...
    @property
    def item_id(self) -> str: ...
    @property
    def category(self) -> str: ...
    @property
    def context_text(self) -> str: ...
    @property
    def item_text(self) -> str: ...
    @property
    def price(self) -> float: ...
    @property
    def history_price(self) -> float: ...
    @property
    def item_age(self) -> int: ...
    @property
    def own_touches(self) -> int: ...
    @property
    def own_purchases(self) -> int: ...
    @property
    def own_last(self) -> int: ...


Moment: TypeAlias = _Moment
"""What features read of a sample: the fields of `Sample` with these names."""


def end_of(event_time: int, lag: int) -> int:
    """The hour at which the windows of a question end (exclusive), counted since 1970 UTC.

    Args:
        event_time: time of the question, in milliseconds.
        lag: milliseconds between the last hour that counts and the question, at least.

    Example:
        >>> end_of(10 * 3_600_000 - 1, 3_600_000), end_of(10 * 3_600_000, 3_600_000)
        (8, 9)
    """
    return max((event_time - lag) // HOUR, 0)


@dataclass(frozen=True)
class Asked:
    """The keys and windows of N samples, which have M items in their histories together.

    Attributes:
        ends: the hour at which the windows of each sample end (exclusive), shape (N,).
        day_ends: the last midnight (UTC) up to `ends`; windows of queries end there, shape (N,).
        items: item ids, each once; the first `own` of them are items of samples, the others only
            occur in histories.
        own: number of different items of the samples.
        categories, queries: categories and digests of queries, each once.
        query_items: pairs of a query and an item of the same sample, each once.
        pairs: pairs of a sample's item and an item of its history, the smaller id first, each once.
        item, category, query_item: for each sample the place of its key in these lists, -1
            where it has none, shape (N,).
        owner: for each item of a history the place of its sample, shape (M,).
        neighbour, pair: for each item of a history its place in `items`, and the place of its pair
            in `pairs`, -1 if it is the sample's own item, shape (M,).
    """

    ends: _Ints
    day_ends: _Ints
    items: list[str]
    own: int
    categories: list[str]
    queries: list[str]
    query_items: list[tuple[str, str]]
    pairs: list[tuple[str, str]]
    item: _Ints
    category: _Ints
    query_item: _Ints
    owner: _Ints
    neighbour: _Ints
    pair: _Ints

    @classmethod
    def of(cls, samples: Sequence[Moment], lag: int) -> Self:
        """Collect the keys of some samples.

        Args:
            samples: the samples.
            lag: milliseconds between the last hour that counts and a question, at least.
        """
        items, categories = dict[str, int](), dict[str, int]()
        query_items, pairs = dict[tuple[str, str], int](), dict[tuple[str, str], int]()
        ends = np.array([end_of(one.event_time, lag) for one in samples], np.int64)
        item = [_place(items, one.item_id) for one in samples]
        own = len(items)
        digests = [query_key(one.query) for one in samples]
        beside = [
            (place, one.item_id, other)
            for place, one in enumerate(samples)
            for other in dict.fromkeys(one.history)
        ]
        return cls(
            ends=ends,
            day_ends=ends // _DAY * _DAY,
            item=_ints(item),
            category=_ints([_place(categories, one.category) for one in samples]),
            query_item=_ints(
                [
                    _place(query_items, (digest, one.item_id)) if digest else -1
                    for digest, one in zip(digests, samples, strict=True)
                ]
            ),
            owner=_ints([place for place, _, _ in beside]),
            neighbour=_ints([_place(items, other) for _, _, other in beside]),
            pair=_ints(
                [
                    _place(pairs, (min(one, other), max(one, other))) if one != other else -1
                    for _, one, other in beside
                ]
            ),
            items=list(items),
            own=own,
            categories=list(categories),
            queries=list(dict.fromkeys(digest for digest in digests if digest)),
            query_items=list(query_items),
            pairs=list(pairs),
        )

    @property
    def edges(self) -> list[int]:
        """Every hour at which a window of a sample begins or ends, in order."""
        begins = [self.starts(days) for days in DAYS]
        return [int(one) for one in np.unique(np.concatenate([self.ends, self.day_ends, *begins]))]

    def starts(self, days: int) -> _Ints:
        """The first hour of each sample's window of some days, shape (N,)."""
        return np.maximum(self.ends - days * _DAY, 0)


def _place(places: dict[_K, int], key: _K) -> int:
    return places.setdefault(key, len(places)) if key else -1


def _ints(values: Sequence[int]) -> _Ints:
    return np.array(values, np.int64)
