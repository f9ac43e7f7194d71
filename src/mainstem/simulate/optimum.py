"""The known optimum: the AUC of the best possible model, which ranks by the true probabilities."""

from collections import Counter
from collections.abc import Iterable, Mapping
from math import fsum

__all__ = ["best_auc", "best_auc_of_counts"]


def best_auc(probabilities: Iterable[float]) -> float:
    """Return the expected AUC of a ranking by the true probabilities.

    A model exceeds it only by chance. Each pair of different items is weighted by the probability
    that the first is wanted and the second is not; the result is the weighted share of pairs in
    which the first has the higher probability, and equal probabilities count half. Memory grows
    with the number of different probabilities.

    Args:
        probabilities: the true probability of each item of each question, in [0, 1].

    Raises:
        ValueError: if no item may be wanted, or no other may be unwanted.

    Example:
        >>> best_auc([0.9, 0.1]), best_auc([0.5, 0.5, 0.5])
        (0.9878048780487805, 0.5)
    """
    return best_auc_of_counts(Counter(probabilities))


def best_auc_of_counts(counts: Mapping[float, int]) -> float:
    """Return the same as `best_auc`, given how often each probability occurs.

    Example:
        >>> best_auc_of_counts({0.9: 1, 0.1: 1}) == best_auc([0.9, 0.1])
        True
    """
    above: list[float] = []  # pairs in the right order, and half of the equal ones
    pairs: list[float] = []
    unwanted = 0.0  # expected number of unwanted items so far, by ascending probability
    total_unwanted = fsum(count * (1 - probability) for probability, count in counts.items())
    for probability, count in sorted(counts.items()):
        wanted, own = count * probability, count * (1 - probability)
        itself = wanted * (1 - probability)  # subtracted, because an item makes no pair with itself
        above.append(wanted * unwanted + (wanted * own - itself) / 2)
        pairs.append(wanted * total_unwanted - itself)
        unwanted += own
    if not fsum(pairs) > 0:
        msg = (
            "the AUC needs an item that may be wanted and another that may not; "
            f"got {sum(counts.values())} probabilities"
        )
        raise ValueError(msg)
    return fsum(above) / fsum(pairs)
