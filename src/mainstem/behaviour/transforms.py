"""Overlaps of the words of items with queries and histories, and times on a circle."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Words", "circle", "words_of"]

_TITLES: Final = " ; "  # between the titles of a history, as `context_text` writes them
_PARTS: Final = " | "  # between the parts of an item, as `item_text` writes them
_Floats: TypeAlias = NDArray[np.float64]


class Words(NamedTuple):
    """Overlaps of the words of N items with the contexts that they were shown in, shape (N,) each.

    Attributes:
        shared: share of the words of the item's title that some title of the history holds.
        nearest, mean: largest and mean Jaccard overlap with a title of the history.
        query: share of the query's words that the item's text holds.
    """

    shared: _Floats
    nearest: _Floats
    mean: _Floats
    query: _Floats


def circle(times: ArrayLike, period: int) -> tuple[_Floats, _Floats]:
    """Sine and cosine of the place of each time within its period.

    Args:
        times: times since 1970 UTC, in the unit of `period`.
        period: length of the period.

    Example:
        >>> [one.round(2).tolist() for one in circle([6, 24], 24)]
        [[1.0, 0.0], [0.0, 1.0]]
    """
    # the remainder of integers is exact where that of floats is not
    angle = np.asarray(times, np.int64) % period * (2 * np.pi / period)
    return np.sin(angle), np.cos(angle)


def words_of(texts: Sequence[tuple[str, str, str]]) -> Words:
    """How much the words of items overlap with the contexts that they were shown in.

    Args:
        texts: context text, item text, and the query that the context begins with, if any.

    Returns:
        The overlaps; 0 where there are no words to compare.

    Example:
        >>> found = words_of([("cup ; blue cup", "red cup | price 2 to 5", "cup")])
        >>> [one.round(2).tolist() for one in found]
        [[0.5], [0.33], [0.33], [1.0]]
    """
    words = cache(_words)  # samples of a batch share titles
    found = np.array([_overlaps(*one, words) for one in texts], np.float64).reshape(len(texts), 4)
    return Words(*found.T)


def _overlaps(
    context: str, item: str, query: str, words: Callable[[str], frozenset[str]]
) -> tuple[float, float, float, float]:
    # subtle: the query may hold the mark that stands between titles
    beside = context.removeprefix(query).removeprefix(_TITLES) if query else context
    titles = [words(part) for part in beside.split(_TITLES)] if beside else []
    asked = words(query)
    own = words(item.split(_PARTS, 1)[0])
    shared = [len(own & one) for one in titles]
    alike = [
        common / max(len(own) + len(one) - common, 1)
        for common, one in zip(shared, titles, strict=True)
    ]
    return (
        len(own.intersection(frozenset[str]().union(*titles))) / max(len(own), 1),
        max(alike, default=0.0),
        sum(alike) / max(len(alike), 1),
        len(asked & words(item.replace(_PARTS, " "))) / max(len(asked), 1),
    )


def _words(text: str) -> frozenset[str]:
    return frozenset(text.lower().split())
