"""The features that compare the words of an item with those of the history and of the query."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from mainstem.behaviour.feature import Feature
from mainstem.behaviour.transforms import Words

__all__ = ["word_features"]

_Floats: TypeAlias = NDArray[np.float64]


def _of_texts(name: str, transform: str, of_texts: Callable[[Words], _Floats]) -> Feature:
    return Feature(name, transform, lambda known: of_texts(known.words), of_texts)


def word_features() -> Iterator[Feature]:
    """The features of words, in their order."""
    yield Feature(
        "words_shared",
        "3 (share of the title's words in the history) - 1",
        lambda known: 3 * known.words.shared - 1,
    )
    yield Feature(
        "words_nearest",
        "4 (largest Jaccard overlap with a title of the history) - 1",
        lambda known: 4 * known.words.nearest - 1,
    )
    yield Feature(
        "words_mean",
        "8 (mean Jaccard overlap with the titles of the history) - 1",
        lambda known: 8 * known.words.mean - 1,
    )
    yield _of_texts(
        "words_query",
        "3 (share of the query's words in the item's text) - 1",
        lambda words: 3 * words.query - 1,
    )
    yield _of_texts("has_query", "1 if there is a query", lambda words: words.asked)
    yield _of_texts(
        "words_both",
        "5 (Jaccard overlap of the words of query and item's text) - 1 if there is a query",
        lambda words: _if_asked(words, 5 * words.both - 1),
    )
    yield _of_texts(
        "words_numbers",
        "2 (share of the query's words with a digit in the item's text) - 1 if it has such words",
        lambda words: 2 * words.numbers - 1,
    )
    yield _of_texts(
        "letters_query",
        "4 (share of the trigrams of the query's words in the item's text) - 2 if there is a query",
        lambda words: _if_asked(words, 4 * words.letters - 2),
    )
    yield _of_texts(
        "letters_least",
        "4 (smallest such share of one word of the query) - 2 if there is a query",
        lambda words: _if_asked(words, 4 * words.least - 2),
    )


def _if_asked(words: Words, values: _Floats) -> _Floats:
    return np.where(words.asked > 0, values, np.nan)
