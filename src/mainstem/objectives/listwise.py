"""Losses of the order of a question's items. They couple samples, so they only ever train.

Both read one score and one target of each item, and compare items of one question alone. An item
whose target is unknown (negative) is left out, and so is a question whose targets are all equal:
every order of its items is right. The result is the mean over the other questions.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["LISTWISE", "Listwise", "discounts", "lambda_loss", "softmax_cross_entropy"]

Listwise: TypeAlias = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(scores, targets, questions), each of shape (N,) -> loss, shape ()."""


def discounts(ranks: Tensor) -> Tensor:
    """How much the place in a list counts, by its exposure to the shopper: 1 / log2(1 + rank).

    Args:
        ranks: places from 1, any shape.

    Example:
        >>> discounts(torch.tensor([1.0, 3.0]))
        tensor([1.0000, 0.5000])

    Source:
        Järvelin and Kekäläinen, Cumulated gain-based evaluation of IR techniques, TOIS 2002.
    """
    return 1 / torch.log2(1 + ranks.float())


def softmax_cross_entropy(scores: Tensor, targets: Tensor, questions: Tensor) -> Tensor:
    """Cross-entropy between a question's targets, as shares, and the softmax of its scores.

    It is the top-one loss of ListNet, with shares target / sum of targets in place of a softmax of
    the targets: then an item that was not clicked has no share.

    Args:
        scores: score of each item, shape (N,).
        targets: target of each item in [0, 1], shape (N,); negative where it is unknown.
        questions: number of the question of each item, shape (N,), any integers.

    Returns:
        The loss in nats, shape (); 0 where there is nothing to compare.

    Example:
        >>> scores, questions = torch.zeros(3), torch.tensor([7, 7, 7])
        >>> softmax_cross_entropy(scores, torch.tensor([1.0, 0.0, -1.0]), questions)
        tensor(0.6931)

    Source:
        Cao, Qin, Liu, Tsai and Li, Learning to Rank: From Pairwise Approach to Listwise Approach,
        ICML 2007; with such shares it bounds reciprocal rank: Bruch, Wang, Bendersky and Najork,
        An Analysis of the Softmax Cross Entropy Loss, ICTIR 2019.
    """
    scores, targets, same = _compared(scores, targets, questions)
    if not len(scores):
        return scores.sum()
    # the log-sum-exp of the scores of each item's question, shape (M,)
    total = torch.where(same, scores, scores.new_tensor(float("-inf"))).logsumexp(1)
    shares = targets / (same * targets).sum(1)
    return -(shares * (scores - total)).sum() / _questions(same)


def lambda_loss(scores: Tensor, targets: Tensor, questions: Tensor) -> Tensor:
    """Logistic loss of each pair in the wrong or right order, by what its exchange costs in NDCG.

    The pair of items i above j, with target t_i > t_j, costs

        |t_i - t_j| |d_i - d_j| / ideal DCG  *  log(1 + exp(s_j - s_i)),

    where d are the discounts of the ranks that the present scores give, and the ideal DCG is that
    of the order by targets. The first factor is the change of NDCG by an exchange of the two and
    is held constant: its gradient is that of LambdaRank. Gains are the targets themselves.

    Args:
        scores, targets, questions: as for `softmax_cross_entropy`.

    Returns:
        The loss, shape (); 0 where there is nothing to compare.

    Example:
        >>> scores, targets = torch.tensor([0.0, 0.0]), torch.tensor([1.0, 0.0])
        >>> lambda_loss(scores, targets, torch.tensor([1, 1]))  # .3691 * log 2
        tensor(0.2558)

    Source:
        Burges, Ragno and Le, Learning to Rank with Nonsmooth Cost Functions, NIPS 2006; as a loss:
        Wang, Li, Golbandi, Bendersky and Najork, The LambdaLoss Framework for Ranking Metric
        Optimization, CIKM 2018.
    """
    scores, targets, same = _compared(scores, targets, questions)
    if not len(scores):
        return scores.sum()
    gap = scores.unsqueeze(1) - scores.unsqueeze(0)  # (M, M): of the row above the column
    with torch.no_grad():
        discount = discounts(_ranks(scores, same))
        ideal = (same * (targets * discounts(_ranks(targets, same)))).sum(1)  # (M,)
        more = targets.unsqueeze(1) - targets.unsqueeze(0)
        change = more * (discount.unsqueeze(1) - discount.unsqueeze(0)).abs() / ideal.unsqueeze(1)
        change *= same & (more > 0)
    return (change * F.softplus(-gap)).sum() / _questions(same)


LISTWISE: Final[Mapping[str, Listwise]] = MappingProxyType(
    {"lambda": lambda_loss, "softmax": softmax_cross_entropy}
)
"""The listwise losses by the value of setting `objectives.listwise_loss`."""


def _compared(scores: Tensor, targets: Tensor, questions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Scores and targets of the M items that count, and which two are of one question, (M, M)."""
    known = targets >= 0
    same = (questions.unsqueeze(1) == questions.unsqueeze(0)) & known & known.unsqueeze(1)
    differ = targets.unsqueeze(1) != targets.unsqueeze(0)
    counts = (same & differ).any(1)
    # subtle: two items of a question may agree with each other and not with a third
    counts = (same & counts).any(1)
    return scores[counts].float(), targets[counts].float(), same[counts][:, counts]


def _ranks(values: Tensor, same: Tensor) -> Tensor:
    """Rank of each item in its question by falling value, from 1; of equal ones the first leads."""
    places = torch.arange(len(values), device=values.device)
    higher = values.unsqueeze(0) > values.unsqueeze(1)
    is_before = (values.unsqueeze(0) == values.unsqueeze(1)) & (places < places.unsqueeze(1))
    return 1 + (same & (higher | is_before)).sum(1)


def _questions(same: Tensor) -> Tensor:
    """The number of questions."""
    return (1 / same.sum(1)).sum()
