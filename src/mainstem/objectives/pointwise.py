"""The loss of a sample under all objectives: sum_j alpha_j loss_j over its known targets.

Responses are gradients of this loss. Listwise losses couple samples and so have no responses.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from mainstem.objectives.layout import Layout, Part
from mainstem.objectives.losses import Loss, cross_entropy, margins

__all__ = ["Pointwise", "loss_of"]


@dataclass(frozen=True)
class Pointwise:
    """A loss that reads the logits of a layout and the targets of all objectives.

    Yes or no and grades have a binary cross-entropy with the target in [0, 1], classes the
    cross-entropy of the class, in nats. An unknown target, which is negative, costs nothing.

    Args:
        layout: which logits belong to which objective.

    Example:
        >>> from mainstem.settings import Objectives
        >>> loss = Pointwise(Layout.of(Objectives(names="click,relevance", alphas="1,0.5")))
        >>> loss(torch.zeros(2, 2), torch.tensor([[1.0, -1.0], [0.0, 0.5]]))
        tensor([0.6931, 1.0397])
    """

    layout: Layout

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Losses of B samples.

        Args:
            logits: output of the model, shape (B, W), where W is `layout.width`.
            targets: targets, shape (B, J), where J is the number of objectives.

        Returns:
            Losses, shape (B,), float32.

        Raises:
            ValueError: if the shapes do not fit the layout.
        """
        self._check(logits, targets)
        each = [
            part.alpha * _known_only(_loss(part, logits.float(), target), target)
            for part, target in zip(self.layout.parts, targets.float().unbind(1), strict=True)
        ]
        return torch.stack(each).sum(0)

    def margins(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The margin of each sample's label, under the objective whose target is its label.

        Args:
            logits, targets: as for the loss.

        Returns:
            Margins, shape (B,); 0 where no target is known.
        """
        self._check(logits, targets)
        found = logits.new_zeros(len(logits))
        for part, target in reversed([*zip(self.layout.parts, targets.unbind(1), strict=True)]):
            labels = (target.clamp_min(0) + 0.5).long()
            found = torch.where(target >= 0, margins(_of(part, logits), labels), found)
        return found

    def _check(self, logits: Tensor, targets: Tensor) -> None:
        wanted = (len(logits), self.layout.width), (len(logits), len(self.layout.parts))
        if (tuple(logits.shape), tuple(targets.shape)) != wanted:
            msg = (
                f"logits and targets must have shapes {wanted[0]} and {wanted[1]}; "
                f"got {tuple(logits.shape)} and {tuple(targets.shape)}"
            )
            raise ValueError(msg)


def loss_of(layout: Layout) -> Loss:
    """The loss of each sample that training, responses and gradients are of.

    A single answer has the cross-entropy of its classes, which reads labels of shape (B,). All
    other objectives have `Pointwise`, which reads targets of shape (B, J).
    """
    return cross_entropy if layout.is_plain else Pointwise(layout)


def _loss(part: Part, logits: Tensor, target: Tensor) -> Tensor:
    own, known = _of(part, logits), target.clamp_min(0)
    if part.width > 1:
        return F.cross_entropy(own, known.long(), reduction="none")
    return F.binary_cross_entropy_with_logits(own.squeeze(1), known, reduction="none")


def _known_only(losses: Tensor, target: Tensor) -> Tensor:
    return torch.where(target >= 0, losses, torch.zeros_like(losses))


def _of(part: Part, logits: Tensor) -> Tensor:
    return logits[:, part.first : part.first + part.width]
