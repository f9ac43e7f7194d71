"""R-Drop: two passes over a batch, whose dropout differs, shall give the same answers.

The loss of a sample is the mean of the losses of both passes, plus a factor times the mean of the
two divergences KL(p1 | p2) and KL(p2 | p1) of their answers, summed over the objectives with their
alphas. It counts with the weight of the sample, and not where the target is unknown. Without
dropout both passes are the same, and nothing is added.

Source:
    Wu et al., R-Drop: Regularized Dropout for Neural Networks, NeurIPS 2021,
    https://arxiv.org/abs/2106.14448.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from mainstem.learning.training.smoothing import known_of, logits_of_classes
from mainstem.objectives.layout import Layout

__all__ = ["divergence"]


def divergence(layout: Layout, first: Tensor, second: Tensor, targets: Tensor) -> Tensor:
    """How far the answers of two passes lie apart, for each sample.

    Args:
        layout: which logits belong to which objective.
        first, second: logits of both passes, shape (B, W).
        targets: labels, shape (B,), or targets, shape (B, J), of which unknown ones are negative.

    Returns:
        The divergence in nats, shape (B,), >= 0, the same if the passes are exchanged.

    Example:
        >>> from mainstem.settings import Objectives
        >>> layout, target = Layout.of(Objectives(names="click")), torch.tensor([[1.0]])
        >>> divergence(layout, torch.tensor([[0.0]]), torch.tensor([[2.0]]), target)
        tensor([0.3808])
    """
    found = first.new_zeros(len(first), dtype=torch.float32)
    for place, part in enumerate(layout.parts):
        one, other = (
            F.log_softmax(logits_of_classes(logits, part.first, part.width), dim=1)
            for logits in (first, second)
        )
        # KL(p1 | p2) + KL(p2 | p1) = sum (p1 - p2) (log p1 - log p2)
        each = ((one.exp() - other.exp()) * (one - other)).sum(1) / 2
        found = found + part.alpha * torch.where(known_of(targets, place), each, 0.0)
    return found
