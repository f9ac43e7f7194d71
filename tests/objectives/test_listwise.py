"""Losses of an order against hand-worked values, PyTorch and scikit-learn's NDCG."""

from itertools import permutations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.metrics import ndcg_score
from torch import Tensor

from mainstem.objectives.listwise import LISTWISE, Listwise, lambda_loss, softmax_cross_entropy

SCORES = torch.tensor([0.3, -1.0, 2.0, 0.1, 0.4])
TARGETS = torch.tensor([1.0, 0.0, 0.5, 0.0, 1.0])
ONE_QUESTION = torch.zeros(5, dtype=torch.int64)
BOTH = pytest.mark.parametrize("loss", LISTWISE.values(), ids=LISTWISE)


def test_the_softmax_loss_is_the_cross_entropy_of_shares() -> None:
    """It is PyTorch's cross-entropy with the targets' shares as probabilities, by question."""
    questions = torch.tensor([5, 5, 5, 9, 9])
    expected = [
        F.cross_entropy(SCORES[:3], TARGETS[:3] / 1.5),
        F.cross_entropy(SCORES[3:], torch.tensor([0.0, 1.0])),
    ]
    found = softmax_cross_entropy(SCORES, TARGETS, questions)
    assert pytest.approx(float(sum(expected)) / 2, rel=1e-6) == float(found)


def test_a_pair_costs_what_its_exchange_costs_in_ndcg() -> None:
    """The factor of a pair is the change of scikit-learn's NDCG by an exchange of the two."""
    factors, gaps = [], []
    before = ndcg_score([TARGETS.numpy()], [SCORES.numpy()])
    for high, low in permutations(range(5), 2):
        if TARGETS[high] > TARGETS[low]:
            exchanged = SCORES.numpy().copy()
            exchanged[[high, low]] = exchanged[[low, high]]
            factors.append(abs(before - ndcg_score([TARGETS.numpy()], [exchanged])))
            gaps.append(float(SCORES[high] - SCORES[low]))
    expected = np.dot(factors, np.log1p(np.exp(-np.array(gaps))))
    assert pytest.approx(expected, rel=1e-6) == float(lambda_loss(SCORES, TARGETS, ONE_QUESTION))


def test_a_lambda_loss_worked_by_hand() -> None:
    """A yes in second place below a no costs the difference of two discounts times log(1 + e)."""
    scores, targets = torch.tensor([0.0, 1.0]), torch.tensor([1.0, 0.0])
    expected = (1 - 1 / np.log2(3)) * np.log1p(np.e)
    found = lambda_loss(scores, targets, torch.tensor([3, 3]))
    assert pytest.approx(expected, rel=1e-6) == float(found)


def test_the_gradient_is_that_of_lambda_rank() -> None:
    """The gradient by a score is the sum of |change of NDCG| * sigmoid of the wrong gap."""
    scores = SCORES.clone().requires_grad_()
    lambda_loss(scores, TARGETS, ONE_QUESTION).backward()
    ranks = 1 + (SCORES.unsqueeze(0) > SCORES.unsqueeze(1)).sum(1).numpy()
    discount, ideal = 1 / np.log2(1 + ranks), 1 + 1 / np.log2(3) + 0.5 / 2
    expected = np.zeros(5)
    for high, low in permutations(range(5), 2):
        gap = float(TARGETS[high] - TARGETS[low])
        if gap > 0:
            change = gap * abs(discount[high] - discount[low]) / ideal
            pull = change / (1 + np.exp(float(SCORES[high] - SCORES[low])))
            expected[high] -= pull
            expected[low] += pull
    assert scores.grad is not None
    assert pytest.approx(expected, rel=1e-5) == scores.grad.numpy()


@BOTH
def test_questions_do_not_touch_each_other(loss: Listwise) -> None:
    """The loss is the mean of those of the single questions, in whatever order items come."""
    questions = torch.tensor([0, 1, 0, 1, 1])
    each = [
        loss(SCORES[questions == one], TARGETS[questions == one], questions[questions == one])
        for one in (0, 1)
    ]
    assert pytest.approx(float(sum(each)) / 2, rel=1e-6) == float(loss(SCORES, TARGETS, questions))
    order = torch.tensor([4, 2, 0, 1, 3])
    assert pytest.approx(float(loss(SCORES, TARGETS, questions)), rel=1e-6) == float(
        loss(SCORES[order], TARGETS[order], questions[order])
    )


@BOTH
@pytest.mark.parametrize(
    "targets",
    [
        torch.tensor([1.0, 1.0, 1.0, 1.0, 1.0]),
        torch.zeros(5),
        torch.tensor([1.0, -1.0, -1.0, -1.0, -1.0]),
    ],
)
def test_where_nothing_is_to_compare_nothing_costs(loss: Listwise, targets: Tensor) -> None:
    """Equal targets, and one known target alone, give 0 and a gradient of 0."""
    scores = SCORES.clone().requires_grad_()
    found = loss(scores, targets, ONE_QUESTION)
    found.backward()
    assert scores.grad is not None
    assert (0.0, [0.0] * 5) == (found.item(), scores.grad.tolist())


@BOTH
def test_a_better_order_costs_less(loss: Listwise) -> None:
    """Scores in the order of the targets cost less than the same in the opposite order."""
    low_first, high_first = SCORES.sort().values, SCORES.sort(descending=True).values
    targets = TARGETS.sort(descending=True).values
    assert float(loss(high_first, targets, ONE_QUESTION)) < float(
        loss(low_first, targets, ONE_QUESTION)
    )
