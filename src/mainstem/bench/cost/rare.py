"""The rarest fifth: samples whose queries or categories a stream hardly had before."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mainstem.join import Sample

__all__ = ["rarest", "slices_of"]

_RARE: Final = 0.2


def slices_of(before: Sequence[Sample], last: Sequence[Sample]) -> NDArray[np.bool_]:
    """The samples with the rarest queries, and those of the rarest categories.

    Args:
        before: samples that say how frequent a query or a category is.
        last: M samples.

    Returns:
        Which of the M samples each slice holds, shape (S, M); a slice without samples is left out.
    """
    found = [
        rarest([one.query for one in before], [one.query for one in last]),
        rarest([one.category for one in before], [one.category for one in last]),
    ]
    kept = [one for one in found if one.any()]
    return np.array(kept, np.bool_).reshape(len(kept), len(last))


def rarest(before: Sequence[str], last: Sequence[str]) -> NDArray[np.bool_]:
    """The samples whose names are the rarest, and hold at most a fifth of all that have a name.

    Args:
        before: names that say how frequent each is; an empty one is none.
        last: name of each of M samples.

    Returns:
        Which samples they are, shape (M,). The rarest name counts even if it holds more, unless it
        is the only one. Names that are equally rare go by the alphabet.

    Example:
        >>> rarest(["a", "a", "a", "b"], ["a", "a", "a", "a", "b", "a", ""])
        array([False, False, False, False,  True, False, False])
    """
    times, there = Counter(before), Counter(one for one in last if one)
    order = sorted(there, key=lambda name: (times[name], name))
    most, held, rare = _RARE * there.total(), 0, set[str]()
    for name in order[:-1]:
        held += there[name]
        if rare and held > most:
            break
        rare.add(name)
    return np.array([one in rare for one in last], np.bool_)
