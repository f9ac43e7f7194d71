"""How far the words of two texts overlap: five numbers that no label went into.

A model that is trained on labels says little about words with digits, such as sizes and part
numbers, which must match exactly.
"""

import re
from typing import Final

__all__ = ["overlaps"]

_WORD: Final = re.compile(r"\w+")
_DIGIT: Final = re.compile(r"\d")


def overlaps(one: str, other: str) -> tuple[float, float, float, float, float]:
    """Compare the words of two texts.

    Returns:
        Shared words over all words; shared words over the words of the text with fewer of them;
        number of shared words with digits; their share of all words with digits; and how many more
        words the first text has.

    Example:
        >>> overlaps("red mug 30cl", "mug, red glaze, 25cl")
        (0.4, 0.6666666666666666, 0.0, 0.0, -1.0)
    """
    left, right = (set(_WORD.findall(text.lower())) for text in (one, other))
    shared, every = left & right, left | right
    exact, exact_ever = _with_digits(shared), _with_digits(every)
    return (
        len(shared) / max(len(every), 1),
        len(shared) / max(min(len(left), len(right)), 1),
        float(exact),
        exact / max(exact_ever, 1),
        float(len(left) - len(right)),
    )


def _with_digits(words: set[str]) -> int:
    return sum(bool(_DIGIT.search(word)) for word in words)
