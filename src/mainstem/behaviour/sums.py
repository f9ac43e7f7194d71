"""Integer sums over windows: the counts of a batch's keys, added up for each sample."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mainstem.behaviour.asked import Asked

__all__ = ["LAST_POSITION", "OUTCOMES", "Counted", "Sums", "Tally"]

OUTCOMES: Final = ("shown", "clicked", "carted", "purchased", "returned")
"""What is counted of a key, in the order of the columns of every sum."""
LAST_POSITION: Final = 50
"""Position that stands for itself and for all positions after it."""
_SHOWN: Final = OUTCOMES.index("shown")
_CLICKED: Final = OUTCOMES.index("clicked")
_SPAN: Final = 1 << 32  # more than any hour
_LONGEST: Final = 90  # days over which clicks and showings of each position are compared
_Ints: TypeAlias = NDArray[np.int64]
_Floats: TypeAlias = NDArray[np.float64]


class Counted(NamedTuple):
    """The counts of one key at one position in a run of hours that no edge of a window divides.

    Attributes:
        kind: kind of the key as in `Count`; empty for the sums over all items.
        key, other: the key, as in `Count`.
        position: position of the showing, at most `LAST_POSITION`; 0 where positions are added up.
        since: first hour of the run.
        shown, clicked, carted, purchased, returned: the sums.
    """

    kind: str
    key: str
    other: str
    position: int
    since: int
    shown: int
    clicked: int
    carted: int
    purchased: int
    returned: int


class Tally:
    """Counts of numbered keys by hour, which can be added up over any window.

    Args:
        numbers: number of the key of each row, at least 0, shape (R,).
        hours: hour of each row, shape (R,).
        counts: counts of each row, shape (R, K).

    Example:
        >>> tally = Tally(np.array([0, 0, 1]), np.array([5, 6, 5]), np.array([[1], [2], [4]]))
        >>> tally.between(np.array([0, 0, 1]), np.array([5, 5, 6]), np.array([6, 7, 9])).tolist()
        [[1], [3], [0]]
    """

    def __init__(self, numbers: _Ints, hours: _Ints, counts: _Ints) -> None:
        codes = numbers * _SPAN + hours
        order = np.argsort(codes, kind="stable")
        self._codes = codes[order]
        before = np.zeros((1, counts.shape[1]), np.int64)
        self._until = np.concatenate([before, np.cumsum(counts[order], axis=0)])

    def between(self, numbers: _Ints, first: _Ints, end: _Ints) -> _Ints:
        """Add up the counts of keys over windows.

        Args:
            numbers: number of a key; a negative one has no counts, shape (M,).
            first: first hour of its window, shape (M,).
            end: hour after the last of its window, shape (M,).

        Returns:
            The sums, shape (M, K).
        """
        low = np.searchsorted(self._codes, numbers * _SPAN + first)
        high = np.searchsorted(self._codes, numbers * _SPAN + np.maximum(end, first))
        found: _Ints = self._until[high] - self._until[low]
        return found


@dataclass(frozen=True)
class Sums:
    """The sums that the features of N samples are made of.

    Attributes:
        asked: keys and windows of the samples.
        tallies: counts of each kind; the number of a key is its place in `asked`.
        exposed: counts of items, categories and queries with items, by position as well.
        positions: counts of all items together, by position.
        shop: counts of all items together.
    """

    asked: Asked
    tallies: dict[str, Tally]
    exposed: dict[str, Tally]
    positions: Tally
    shop: Tally

    @classmethod
    def of(cls, asked: Asked, rows: Sequence[Counted]) -> Self:
        """Arrange counts that were read for a batch.

        Args:
            asked: keys and windows of the batch.
            rows: counts of these keys, and the sums over all items by position. Rows of the same
                key, position and hour add up.
        """
        named = tuple(zip(*rows, strict=True)) or ((),) * len(Counted._fields)
        kinds = np.array(named[0], str)
        position, since = (np.array(one, np.int64) for one in named[3:5])
        counts = np.array(named[5:], np.int64).T
        numbers = np.array(_numbers(asked, *named[:3]), np.int64)

        def tally(kind: str, *, split: bool = False) -> Tally:
            these = kinds == kind
            keys, places = numbers[these], position[these]
            keys = keys * (LAST_POSITION + 1) + places if split else keys
            return Tally(keys, since[these], counts[these])

        return cls(
            asked=asked,
            tallies={one: tally(one) for one in ("item", "category", "query_item", "pair")},
            exposed={one: tally(one, split=True) for one in ("item", "category", "query_item")},
            positions=tally("", split=True),
            shop=tally(""),
        )

    def over(self, kind: str, outcome: str, days: int) -> _Ints:
        """How often an outcome happened to the key of each sample in a window.

        Args:
            kind: `item`, `category` or `query_item`.
            outcome: one of `OUTCOMES`.
            days: length of the window, one of `DAYS`.

        Returns:
            The sums, shape (N,); 0 where a sample has no such key.
        """
        numbers: _Ints = getattr(self.asked, kind)
        found = self.tallies[kind].between(numbers, self.asked.starts(days), self._ends(kind))
        return found[:, OUTCOMES.index(outcome)]

    def of_shop(self, outcome: str, days: int) -> _Ints:
        """How often an outcome happened to any item in the window of each sample, shape (N,)."""
        asked = self.asked
        numbers = np.zeros(len(asked.ends), np.int64)
        found = self.shop.between(numbers, asked.starts(days), asked.ends)
        return found[:, OUTCOMES.index(outcome)]

    def clicks(self, kind: str, days: int) -> tuple[_Ints, _Floats]:
        """Clicks on what was shown at a position, and the clicks that the positions explain.

        A position explains as many clicks on a showing as it gets in the mean over all items, in
        the 90 days before the end of the window; the prior is one click on ten showings. What was
        shown in no impression counts nothing.

        Args:
            kind: `item`, `category` or `query_item`.
            days: length of the window, one of `DAYS`.

        Returns:
            Clicks and expected clicks, each of shape (N,).

        Source:
            Chapelle and Zhang, A Dynamic Bayesian Network Click Model for Web Search Ranking,
            WWW 2009 (clicks over expected clicks, there as COEC).
        """
        asked, count = self.asked, LAST_POSITION
        place = np.tile(np.arange(1, count + 1), len(asked.ends))
        numbers = np.repeat(getattr(asked, kind), count)
        keys = np.where(numbers < 0, -1, numbers * (count + 1) + place)
        first, end = (np.repeat(one, count) for one in (asked.starts(days), self._ends(kind)))
        found = self.exposed[kind].between(keys, first, end).reshape(-1, count, len(OUTCOMES))
        expected = (found[:, :, _SHOWN] * self._rates()).sum(axis=1)
        return found[:, :, _CLICKED].sum(axis=1), expected

    def beside(self, kind: str, outcome: str, days: int) -> _Ints:
        """Sums of what belongs to each item of the histories.

        Args:
            kind: `pair` for the item together with the sample's item, `neighbour` for the item
                itself, `item` for the sample's item.
            outcome: one of `OUTCOMES`.
            days: length of the window, one of `DAYS`.

        Returns:
            The sums, shape (M,).
        """
        asked = self.asked
        owner = asked.owner
        numbers = asked.item[owner] if kind == "item" else getattr(asked, kind)
        tally = self.tallies["pair" if kind == "pair" else "item"]
        found = tally.between(numbers, asked.starts(days)[owner], asked.ends[owner])
        return found[:, OUTCOMES.index(outcome)]

    def summed(self, values: _Floats | _Ints) -> _Floats:
        """Add up values of the items of histories by sample, from shape (M,) to shape (N,)."""
        count = len(self.asked.ends)
        return np.bincount(self.asked.owner, values, minlength=count).astype(np.float64)

    def largest(self, values: _Floats) -> _Floats:
        """The largest value, at least 0, of the items of each history, from (M,) to (N,)."""
        found = np.zeros(len(self.asked.ends))
        np.maximum.at(found, self.asked.owner, values)
        return found

    def _ends(self, kind: str) -> _Ints:
        return self.asked.day_ends if kind == "query_item" else self.asked.ends

    def _rates(self) -> _Floats:
        """Clicks per showing at each position from 1, for each sample, shape (N, P)."""
        asked, count = self.asked, LAST_POSITION
        # most samples of a batch share their end
        ends, which = np.unique(asked.ends, return_inverse=True)
        place = np.tile(np.arange(1, count + 1), len(ends))
        end = np.repeat(ends, count)
        first = np.maximum(end - _LONGEST * 24, 0)
        found = self.positions.between(place, first, end).reshape(-1, count, len(OUTCOMES))
        rates = (found[:, :, _CLICKED] + 1) / (found[:, :, _SHOWN] + 10)
        return rates[which]


def _numbers(
    asked: Asked, kinds: Sequence[str], keys: Sequence[str], others: Sequence[str]
) -> list[int]:
    """The number of each row's key; rows of all items have 0."""
    places: dict[str, dict[tuple[str, str], int]] = {
        "item": {(one, ""): at for at, one in enumerate(asked.items)},
        "category": {(one, ""): at for at, one in enumerate(asked.categories)},
        "query_item": {one: at for at, one in enumerate(asked.query_items)},
        "pair": {one: at for at, one in enumerate(asked.pairs)},
        "": {("", ""): 0},
    }
    return [
        places[kind][key] for kind, key in zip(kinds, zip(keys, others, strict=True), strict=True)
    ]
