"""Measures of scores against labels: over all samples, and within each question.

Equal scores never depend on the order of the samples: they count as if the order within each tie
were drawn at random, and a measure is the mean over those draws.
"""

import math
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax
from scipy.stats import rankdata

__all__ = [
    "auc",
    "auc_of_classes",
    "calibration_error",
    "log_loss",
    "ndcg_of_questions",
    "reciprocal_ranks",
]

_BINS: Final = 15


def auc(labels: NDArray[np.int64], scores: NDArray[np.float64]) -> float | None:
    """Probability that a yes is scored above a no, ties counting half; None without both labels.

    Args:
        labels: 0 or 1 for each sample, shape (N,).
        scores: score of each sample, shape (N,).

    Example:
        >>> auc(np.array([0, 1, 0, 1]), np.array([0.1, 0.9, 0.5, 0.5]))
        0.875
    """
    yes = int(labels.sum())
    no = len(labels) - yes
    if not yes or not no:
        return None
    return float((rankdata(scores)[labels == 1].sum() - yes * (yes + 1) / 2) / (yes * no))


def auc_of_classes(labels: NDArray[np.int64], logits: NDArray[np.float64]) -> float | None:
    """AUC of two classes by their log-odds.

    With more classes it is the mean AUC of each class against the rest, over those that occur.

    Args:
        labels: class of each sample, shape (N,), in [0, C).
        logits: logits of each sample, shape (N, C).

    Returns:
        The AUC; None if only one class occurs.

    Example:
        >>> auc_of_classes(np.array([0, 1, 2]), np.array([[3.0, 0, 0], [0, 3, 0], [0, 0, 3]]))
        1.0
    """
    if logits.shape[1] == 2:
        return auc(labels, logits[:, 1] - logits[:, 0])
    log_probabilities = log_softmax(logits, axis=1)
    each = [
        auc((labels == one).astype(np.int64), log_probabilities[:, one])
        for one in range(logits.shape[1])
    ]
    known = [one for one in each if one is not None]
    return math.fsum(known) / len(known) if known else None


def log_loss(labels: NDArray[np.int64], logits: NDArray[np.float64]) -> float | None:
    """Mean negative log-likelihood in nats; None without samples.

    Args:
        labels: class of each sample, shape (N,), in [0, C).
        logits: logits of each sample, shape (N, C).

    Example:
        >>> round(log_loss(np.array([1]), np.array([[0.0, 0.0]])), 4)
        0.6931
    """
    if not len(labels):
        return None
    if logits.shape[1] == 2:
        signs = np.where(labels == 1, 1.0, -1.0)
        losses = np.logaddexp(0, -signs * (logits[:, 1] - logits[:, 0]))
    else:
        losses = -log_softmax(logits, axis=1)[np.arange(len(labels)), labels]
    # subtle: numpy's own sum may differ in the last bit with the place of an array in memory
    return math.fsum(losses) / len(labels)


def calibration_error(
    labels: NDArray[np.int64], probabilities: NDArray[np.float64], bins: int = _BINS
) -> float | None:
    """Expected calibration error: how far probabilities are from the share of yes, on average.

    Samples are put into bins of equal mass, in the order of their probability. The error is the
    mean over the bins, weighed by their samples, of the distance between the mean probability and
    the share of yes.

    Args:
        labels: 0 or 1 for each sample, shape (N,).
        probabilities: probability of a yes for each sample, shape (N,).
        bins: number of bins; with fewer samples, each sample is a bin.

    Returns:
        The error in [0, 1]; None without samples.

    Example:
        >>> calibration_error(np.array([0, 1, 1, 1]), np.array([0.5, 0.5, 0.75, 0.75]), bins=2)
        0.125

    Source:
        Nguyen and O'Connor, Posterior calibration, EMNLP 2015, https://arxiv.org/abs/1508.05154
        (bins of equal mass).
    """
    if not len(labels):
        return None
    _, tied, counts = np.unique(probabilities, return_inverse=True, return_counts=True)
    # subtle: samples of one probability may lie in two bins; each is as much yes as the others
    share = (np.bincount(tied, labels) / counts)[tied]
    order = np.argsort(probabilities, kind="stable")
    gaps = (probabilities - share)[order]
    parts = np.array_split(gaps, min(bins, len(gaps)))
    return math.fsum(abs(math.fsum(part)) for part in parts) / len(gaps)


def ndcg_of_questions(
    gains: NDArray[Any], scores: NDArray[np.float64], questions: NDArray[Any], top: int = 10
) -> NDArray[np.float64]:
    """NDCG of the first items of each question, ordered by score.

    Questions whose items all have one gain are left out: no order of them is better than another.

    Args:
        gains: gain of each sample, shape (N,), >= 0: its label, or a grade as a number.
        scores: score of each sample, shape (N,).
        questions: key of the question that each sample belongs to, shape (N,).
        top: number of items that count.

    Returns:
        One value in [0, 1] for each question, in the order of their keys, shape (Q,).

    Example:
        >>> gains, questions = np.array([0, 1, 0, 0]), np.array([7, 7, 7, 9])
        >>> ndcg_of_questions(gains, np.array([0.9, 0.5, 0.1, 0.3]), questions).round(4).tolist()
        [0.6309]

    Source:
        Jarvelin and Kekalainen, Cumulated gain-based evaluation, TOIS 2002,
        https://doi.org/10.1145/582415.582418; ties as McSherry and Najork, ECIR 2008.
    """
    ranked = _Ranked.of(gains, scores, questions)
    discount = np.where(ranked.rank < top, 1 / np.log2(ranked.rank + 2.0), 0.0)
    shared = (np.bincount(ranked.tie, discount) / np.bincount(ranked.tie))[ranked.tie]
    reached = np.bincount(ranked.question, ranked.gains * shared)
    ideal = ranked.gains[np.lexsort((-ranked.gains, ranked.question))]
    return reached / np.bincount(ranked.question, ideal * discount)


def reciprocal_ranks(
    gains: NDArray[Any], scores: NDArray[np.float64], questions: NDArray[Any]
) -> NDArray[np.float64]:
    """1 / rank of the first item with a gain in each question, ordered by score; their mean is MRR.

    Questions whose items all have one gain are left out, as in `ndcg_of_questions`.

    Args:
        gains: gain of each sample, shape (N,); an item is relevant if it is above 0.
        scores: score of each sample, shape (N,).
        questions: key of the question that each sample belongs to, shape (N,).

    Returns:
        One value in (0, 1] for each question, in the order of their keys, shape (Q,).

    Example:
        >>> gains, questions = np.array([0, 1, 0, 1]), np.array([7, 7, 9, 9])
        >>> reciprocal_ranks(gains, np.array([0.9, 0.5, 0.3, 0.3]), questions).tolist()
        [0.5, 0.75]
    """
    ranked = _Ranked.of(gains, scores, questions)
    relevant = np.bincount(ranked.tie, ranked.gains > 0)
    size = np.bincount(ranked.tie)
    # the tie in which the first relevant item of each question lies
    _, rows = np.unique(ranked.question[ranked.gains > 0], return_index=True)
    first = ranked.tie[ranked.gains > 0][rows]
    above = ranked.rank[np.searchsorted(ranked.tie, first)]
    relevant, size = relevant[first], size[first]
    found, chance = np.zeros(len(first)), relevant / size
    for place in range(1, int((size - relevant).max(initial=0)) + 2):
        found += chance / (above + place)
        # the chance that the next place is the first relevant one of a tie in random order
        chance *= np.maximum(size - relevant - place + 1, 0) / np.maximum(size - place, 1)
    return found


class _Ranked(NamedTuple):
    """Samples in the order of question and falling score; questions of one gain are left out.

    Attributes:
        question: number of the question of each sample, from 0.
        rank: place of each sample in its question, from 0.
        tie: number of the samples of one question and score that each sample is among, from 0.
        gains: gain of each sample.
    """

    question: NDArray[np.int64]
    rank: NDArray[np.int64]
    tie: NDArray[np.int64]
    gains: NDArray[np.float64]

    @classmethod
    def of(
        cls, gains: NDArray[Any], scores: NDArray[np.float64], questions: NDArray[Any]
    ) -> "_Ranked":
        gains, number = gains.astype(np.float64), np.unique(questions, return_inverse=True)[1]
        low, high = np.full(len(gains), np.inf), np.full(len(gains), -np.inf)
        np.minimum.at(low, number, gains)
        np.maximum.at(high, number, gains)
        kept = (low < high)[number]
        gains, scores = gains[kept], scores[kept]
        number = np.unique(number[kept], return_inverse=True)[1]
        order = np.lexsort((-scores, number))
        number, scores = number[order], scores[order]
        rank = np.arange(len(number)) - np.searchsorted(number, number)
        is_next = (rank == 0) | (np.diff(scores, prepend=np.nan) != 0)
        return cls(number, rank, np.cumsum(is_next) - 1, gains[order])
