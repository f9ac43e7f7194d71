"""Overlaps of the words of items with queries and histories, and times on a circle."""

import math
import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Words", "circle", "words_in", "words_of"]

_TITLES: Final = " ; "  # between the titles of a history, as `context_text` writes them
_PARTS: Final = " | "  # between the parts of an item, as `item_text` writes them
# the characters that BERT's tokenizers set apart
_CHINESE: Final = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f]")
_Floats: TypeAlias = NDArray[np.float64]
_Set: TypeAlias = Callable[[str], frozenset[str]]


class Words(NamedTuple):
    """Overlaps of the words of N items with the contexts that they were shown in, shape (N,) each.

    Attributes:
        shared: share of the words of the item's title that some title of the history holds.
        nearest, mean: largest and mean Jaccard overlap with a title of the history.
        query: share of the query's words that the item's text holds.
        both: Jaccard overlap of the words of the query with those of the item's text.
        numbers: share of those words of the query with a digit that the item's text holds; NaN
            where the query has none.
        letters: share of the trigrams of letters of the query's words that the item's text holds.
        least: smallest share of the trigrams of one word of the query that the item's text holds.
        asked: 1 where there is a query, else 0.
    """

    shared: _Floats
    nearest: _Floats
    mean: _Floats
    query: _Floats
    both: _Floats
    numbers: _Floats
    letters: _Floats
    least: _Floats
    asked: _Floats


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
        >>> found = words_of([("cups ; blue cup", "red cup | price 2 to 5", "cups")])
        >>> [one.round(2).tolist() for one in found[:4]], found.letters.tolist()
        ([[0.5], [0.33], [0.33], [0.0]], [0.5])
    """
    width = len(Words._fields)
    # samples of a batch share titles and words
    words, trigrams = cache(_words), cache(_trigrams)
    found = [
        (*_of_history(*one, words), *_of_query(one[1], one[2], words, trigrams)) for one in texts
    ]
    return Words(*np.array(found, np.float64).reshape(len(texts), width).T)


def _of_history(context: str, item: str, query: str, words: _Set) -> tuple[float, float, float]:
    # subtle: the query may hold the mark that stands between titles
    beside = context.removeprefix(query).removeprefix(_TITLES) if query else context
    titles = [words(part) for part in beside.split(_TITLES)] if beside else []
    own = words(item.split(_PARTS, 1)[0])
    shared = [len(own & one) for one in titles]
    alike = [
        common / max(len(own) + len(one) - common, 1)
        for common, one in zip(shared, titles, strict=True)
    ]
    return (
        len(own & frozenset[str]().union(*titles)) / max(len(own), 1),
        max(alike, default=0.0),
        sum(alike) / max(len(alike), 1),
    )


def _of_query(
    item: str, query: str, words: _Set, trigrams: _Set
) -> tuple[float, float, float, float, float, float]:
    asked = words(query)
    if not asked:
        return 0.0, 0.0, math.nan, 0.0, 0.0, 0.0
    own = words(item.replace(_PARTS, " "))
    numbers = {one for one in asked if any(letter.isdigit() for letter in one)}
    parts = [trigrams(one) for one in asked]
    all_parts = set[str]().union(*parts)
    there = set[str]().union(*(trigrams(one) for one in own))
    return (
        len(asked & own) / len(asked),
        len(asked & own) / len(asked | own),
        len(numbers & own) / len(numbers) if numbers else math.nan,
        len(all_parts & there) / len(all_parts),
        min(len(one & there) / len(one) for one in parts),
        1.0,
    )


def words_in(text: str) -> list[str]:
    """The lower-cased words of a text; a Chinese character is a word, as the tokenizer has it.

    Example:
        >>> words_in("Red cup 红杯")
        ['red', 'cup', '红', '杯']
    """
    spaced = text if text.isascii() else _CHINESE.sub(r" \g<0> ", text)
    return spaced.lower().split()


def _words(text: str) -> frozenset[str]:
    return frozenset(words_in(text))


def _trigrams(word: str) -> frozenset[str]:
    """Runs of three letters of a word with a mark at both ends, so that short words have some."""
    marked = f"^{word}$"
    return frozenset([marked[place : place + 3] for place in range(len(marked) - 2)])
