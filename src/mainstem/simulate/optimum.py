"""The known optimum: what the best model could reach, which ranks by the true probabilities."""

from collections import Counter
from collections.abc import Iterable, Mapping
from math import fsum

__all__ = ["best_auc", "best_auc_of_counts"]


def best_auc(probabilities: Iterable[float]) -> float:
    """The AUC to expect of a ranking by the true probabilities; no model's is higher, but by chance.

    Of all pairs of different items, weighed by the chance that the first is wanted and the second is not, the share in
    which the first has the higher probability; equal ones count half. Memory goes with the different probabilities.

    Raises:
        ValueError: if no such pair is possible.

    Example:
        >>> best_auc([0.9, 0.1]), best_auc([0.5, 0.5, 0.5])
        (0.9878048780487805, 0.5)
    """
    return best_auc_of_counts(Counter(probabilities))


def best_auc_of_counts(counts: Mapping[float, int]) -> float:
    """The same, of how often each probability occurs.

    Example:
        >>> best_auc_of_counts({0.9: 1, 0.1: 1}) == best_auc([0.9, 0.1])
        True
    """
    above: list[
        float
    ] = []  # by ascending probability: pairs in the right order, half of the equal ones
    pairs: list[float] = []
    unwanted = 0.0  # so far, in expectation
    total_unwanted = fsum(count * (1 - probability) for probability, count in counts.items())
    for probability, count in sorted(counts.items()):
        wanted, own = count * probability, count * (1 - probability)
        itself = wanted * (1 - probability)  # an item makes no pair with itself
        above.append(wanted * unwanted + (wanted * own - itself) / 2)
        pairs.append(wanted * total_unwanted - itself)
        unwanted += own
    if not fsum(pairs) > 0:
        msg = f"the AUC needs an item that may be wanted and another that may not; got {sum(counts.values())} probabilities"
        raise ValueError(msg)
    return fsum(above) / fsum(pairs)
