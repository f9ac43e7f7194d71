"""Label smoothing: the target of a sample is moved a share of the way to "all answers alike".

With the share s, a target q becomes (1 - s) q + s / C over the C classes; no and yes are two
classes. Every pointwise loss is linear in its target, so this is (1 - s) times the loss of the
target and s times the loss of the even target. An unknown target costs nothing still. A listwise
loss knows no classes: it is left as it is. Responses and held-out losses are never smoothed.

Source:
    Szegedy et al., Rethinking the Inception Architecture for Computer Vision, CVPR 2016, section 7,
    https://arxiv.org/abs/1512.00567.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from mainstem.objectives.layout import Layout
from mainstem.objectives.losses import Loss

__all__ = ["known_of", "logits_of_classes", "smoothed"]


def smoothed(loss: Loss, layout: Layout, share: float) -> Loss:
    """A loss of smoothed targets.

    Args:
        loss: the loss of each sample under all objectives of the layout.
        layout: which logits belong to which objective.
        share: share s of the even target, in [0, 1]; 0 leaves the loss as it is.

    Example:
        >>> from mainstem.objectives.losses import cross_entropy
        >>> from mainstem.settings import Objectives
        >>> half = smoothed(cross_entropy, Layout.of(Objectives()), 0.5)
        >>> half(torch.tensor([[0.0, 2.0]]), torch.tensor([1]))
        tensor([0.6269])
    """
    if not share:
        return loss

    def softer(logits: Tensor, targets: Tensor) -> Tensor:
        return (1 - share) * loss(logits, targets) + share * _even(layout, logits, targets)

    return softer


def _even(layout: Layout, logits: Tensor, targets: Tensor) -> Tensor:
    """The loss of each sample if every answer were equally right, shape (B,)."""
    found = logits.new_zeros(len(logits), dtype=torch.float32)
    for place, part in enumerate(layout.parts):
        own = logits_of_classes(logits, part.first, part.width)
        each = -F.log_softmax(own, dim=1).mean(1)
        found = found + part.alpha * torch.where(known_of(targets, place), each, 0.0)
    return found


def logits_of_classes(logits: Tensor, first: int, width: int) -> Tensor:
    """The logits of one objective as those of classes, float32, shape (B, C).

    A single logit is the log-odds of yes, so it becomes the two logits (0, logit).

    Args:
        logits: logits of all objectives, shape (B, W).
        first: column of the objective's first logit.
        width: number of its logits.
    """
    own = logits[:, first : first + width].float()
    return F.pad(own, (1, 0)) if width == 1 else own


def known_of(targets: Tensor, place: int) -> Tensor:
    """Whether a target of each sample is known, shape (B,).

    Args:
        targets: labels, shape (B,), or targets, shape (B, J).
        place: place of the objective among the J.
    """
    return (targets if targets.dim() == 1 else targets[:, place]) >= 0
