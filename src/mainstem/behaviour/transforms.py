"""Fixed transforms from sums to features: logarithms, ratios with a prior, overlaps of words.

None of them learns anything from a part of the log, so a feature means the same in every version.
NaN stands for what is not known.
"""

from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["circle", "log_count", "log_ratio", "overlaps", "positive_log"]

_TITLES: Final = " ; "  # between the titles of a history, as `context_text` writes them
_PARTS: Final = " | "  # between the parts of an item, as `item_text` writes them
_Floats: TypeAlias = NDArray[np.float64]


def log_count(counts: ArrayLike) -> _Floats:
    """log(1 + count), NaN for a negative count, which stands for an unknown one.

    Example:
        >>> log_count([0, 9, -1]).round(2).tolist()
        [0.0, 2.3, nan]
    """
    values = np.asarray(counts, np.float64)
    return np.log1p(np.where(values < 0, np.nan, values))


def log_ratio(
    counts: ArrayLike, of: ArrayLike, prior: float, prior_of: float | None = None
) -> _Floats:
    """log((count + prior) / (of + prior_of)) less its value without any counts.

    The prior pulls a ratio of few counts towards the usual one, and without counts the result is 0.

    Args:
        counts: counts above the line.
        of: counts or sums below the line.
        prior: number of counts that the prior is worth above the line.
        prior_of: the same below the line; None takes `prior`.

    Example:
        >>> log_ratio([0, 10], [0.0, 0.0], prior=10).round(2).tolist()
        [0.0, 0.69]
    """
    below = prior if prior_of is None else prior_of
    above = np.asarray(counts, np.float64) / prior
    return np.log1p(above) - np.log1p(np.asarray(of, np.float64) / below)


def positive_log(values: ArrayLike) -> _Floats:
    """Natural logarithm, NaN for numbers that are not above 0, which stand for unknown ones.

    Example:
        >>> positive_log([1.0, 0.0]).tolist()
        [0.0, nan]
    """
    found = np.asarray(values, np.float64)
    return np.log(np.where(found > 0, found, np.nan))


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


def overlaps(texts: Sequence[tuple[str, str, bool]]) -> tuple[_Floats, _Floats]:
    """How much the words of items overlap with the contexts that they were shown in.

    Args:
        texts: context text, item text, and whether the context begins with a query.

    Returns:
        The share of the item's words that the context holds, NaN without a context. And the largest
        Jaccard overlap of the item's title with a title of the history, NaN without a history.

    Example:
        >>> share, jaccard = overlaps([("cup ; blue cup", "red cup | price 2 to 5", True)])
        >>> share.round(2).tolist(), jaccard.round(2).tolist()
        ([0.17], [0.33])
    """
    found = [_overlap(*one) for one in texts]
    shares, largest = zip(*found, strict=True) if found else ((), ())
    return np.array(shares, np.float64), np.array(largest, np.float64)


def _overlap(context: str, item: str, has_query: bool) -> tuple[float, float]:  # noqa: FBT001
    parts = [_words(part) for part in context.split(_TITLES)] if context else []
    own = _words(item.replace(_PARTS, " "))
    title = _words(item.split(_PARTS, 1)[0])
    titles = parts[1:] if has_query else parts
    share = len(own & set().union(*parts)) / max(len(own), 1) if parts else np.nan
    jaccard = [len(title & one) / max(len(title | one), 1) for one in titles]
    return share, max(jaccard, default=np.nan)


def _words(text: str) -> set[str]:
    return set(text.casefold().split())
