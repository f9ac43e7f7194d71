"""Losses of each sample, never the mean over a batch, which would shrink gradients by its size."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = [
    "Loss",
    "binary_cross_entropy",
    "cross_entropy",
    "margins",
    "squared_error",
    "token_cross_entropy",
    "weighted",
    "with_weights",
]

Loss: TypeAlias = Callable[[Any, Any], Tensor]
"""(output of the model, targets) -> loss of each sample, shape (B,)."""


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Classification, in nats: logits (B, C), labels (B,) in [0, C) -> (B,).

    Example:
        >>> cross_entropy(torch.zeros(1, 2), torch.tensor([1]))
        tensor([0.6931])
    """
    if logits.dim() != 2 or logits.shape[1] < 2:
        msg = (
            "cross_entropy needs two logits or more of each sample, shape (B, C); "
            f"got shape {tuple(logits.shape)}; "
            "one logit needs a binary loss, `loss=binary_cross_entropy`"
        )
        raise ValueError(msg)
    return F.cross_entropy(logits.float(), labels, reduction="none")


def binary_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Yes or no by one logit, in nats: logits (B,) or (B, 1), labels (B,) in [0, 1] -> (B,).

    Example:
        >>> binary_cross_entropy(torch.zeros(2, 1), torch.tensor([1, 0]))
        tensor([0.6931, 0.6931])
    """
    if logits.shape not in {labels.shape, (*labels.shape, 1)} or labels.dim() != 1:
        msg = (
            "binary_cross_entropy needs one logit and one label of each sample; got shapes "
            f"{tuple(logits.shape)} and {tuple(labels.shape)}"
        )
        raise ValueError(msg)
    flat = logits.float().view(-1)
    return F.binary_cross_entropy_with_logits(flat, labels.float(), reduction="none")


def squared_error(outputs: Tensor, targets: Tensor) -> Tensor:
    """Regression: half the squared error, summed over each sample: (B, ...), (B, ...) -> (B,).

    Example:
        >>> squared_error(torch.tensor([[1.0], [5.0]]), torch.tensor([3.0, 5.0]))
        tensor([2., 0.])
    """
    found = outputs.float().reshape(len(outputs), -1)
    told = targets.float().reshape(len(targets), -1)
    # else one number would be compared with several, or one sample's numbers with all samples'
    if found.shape != told.shape:
        msg = (
            "squared_error needs a target for each output; "
            f"got shapes {tuple(outputs.shape)} and {tuple(targets.shape)}"
        )
        raise ValueError(msg)
    return (found - told).square().sum(1) / 2


def token_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Language models: the mean over each sample's own tokens, in nats: (B, T, C), (B, T) -> (B,).

    Tokens labelled -100 are left out. A sample's loss is divided by its own number of tokens.
    Divided by the batch's number it would depend on the other samples.

    Example:
        >>> token_cross_entropy(torch.zeros(1, 3, 2), torch.tensor([[1, 0, -100]]))
        tensor([0.6931])
    """
    by_class = logits.float().transpose(1, 2)  # (B, C, T)
    losses = F.cross_entropy(by_class, labels, reduction="none", ignore_index=-100)  # (B, T)
    return losses.sum(1) / (labels != -100).sum(1).clamp_min(1)


def weighted(parts: Mapping[str, tuple[float, Loss]]) -> Loss:
    """Several objectives as one loss: sum_j alpha_j loss_j.

    The loss reads outputs and targets as mappings with the same names.

    Args:
        parts: for the name of each objective, its alpha and its loss.

    Example:
        >>> loss = weighted({"click": (1.0, cross_entropy), "price": (0.5, squared_error)})
        >>> outputs = {"click": torch.zeros(1, 2), "price": torch.tensor([[4.0]])}
        >>> loss(outputs, {"click": torch.tensor([1]), "price": torch.tensor([2.0])})
        tensor([1.6931])
    """

    def loss(outputs: Mapping[str, Any], targets: Mapping[str, Any]) -> Tensor:
        each = [alpha * one(outputs[name], targets[name]) for name, (alpha, one) in parts.items()]
        return torch.stack(each).sum(0)

    return loss


def with_weights(loss: Loss) -> Loss:
    """A loss multiplied by sample weights; its targets are pairs of targets and weights (B,).

    Example:
        >>> targets, weights = torch.tensor([1, 0]), torch.tensor([1.0, 0.5])
        >>> with_weights(cross_entropy)(torch.zeros(2, 2), (targets, weights))
        tensor([0.6931, 0.3466])
    """

    def weighed(outputs: Any, told: tuple[Any, Tensor]) -> Tensor:
        targets, weights = told
        return loss(outputs, targets) * weights

    return weighed


def margins(logits: Tensor, labels: Tensor) -> Tensor:
    """Logit of the label less the largest other logit: (B, C), (B,) -> (B,).

    A single logit is compared with 0.

    Example:
        >>> margins(torch.tensor([[1.0, 4.0], [1.0, 4.0]]), torch.tensor([0, 1]))
        tensor([-3.,  3.])

    Source:
        Pleiss, Zhang, Elenberg, Weinberger, Identifying Mislabeled Data using the Area Under the
        Margin Ranking, NeurIPS 2020, https://arxiv.org/abs/2001.10528
    """
    if logits.dim() == 1 or logits.shape[1] == 1:
        return logits.view(-1) * (2 * labels.float() - 1)
    column = labels.unsqueeze(1)
    own = logits.gather(1, column).squeeze(1)
    others = logits.scatter(1, column, float("-inf")).amax(1)
    return own - others
