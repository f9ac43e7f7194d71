"""Plain rankings to compare a version with, on the same pairs: what a shop can do without a model.

Each is computed from facts that were known before the last part of the log.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from mainstem.behaviour import words_in
from mainstem.join import PlacedSample
from mainstem.learning.evaluation.metrics import auc

__all__ = ["baselines"]


def baselines(
    answered: Iterable[tuple[str, Sequence[str]]],
    later: Sequence[PlacedSample],
    labels: Sequence[int],
) -> dict[str, float | None]:
    """AUC of popularity, of word overlap with the history, and of basket co-occurrence.

    Args:
        answered: item and history of each sample answered with yes before the last part. They
            show what was popular and what was bought together.
        later: samples whose pairs are ranked.
        labels: their true labels.

    Example:
        >>> baselines([("cup", ["pot"])], [], [])
        {'popularity': None, 'overlap': None, 'co_occurrence': None}
    """
    popularity: Counter[str] = Counter()
    together: Counter[tuple[str, str]] = Counter()
    for item, history in answered:
        popularity[item] += 1
        together.update(pair for other in history for pair in ((item, other), (other, item)))
    scores = {
        "popularity": [float(popularity[sample.item_id]) for sample in later],
        "overlap": [_overlap(sample) for sample in later],
        "co_occurrence": [_bought_together(sample, together, popularity) for sample in later],
    }
    truth = np.array(labels, np.int64)
    return {name: auc(truth, np.array(score)) for name, score in scores.items()}


def _bought_together(
    sample: PlacedSample, together: Counter[tuple[str, str]], popularity: Counter[str]
) -> float:
    return sum(
        together[sample.item_id, other] / (popularity[other] + 1) for other in sample.history
    )


def _overlap(sample: PlacedSample) -> float:
    """Share of the item's words that occur in the context."""
    words = set(words_in(sample.item_text.split(" | ")[0]))
    return len(words & set(words_in(sample.context_text))) / max(len(words), 1)
