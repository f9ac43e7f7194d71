"""Gradients that autograd forms one sample after the other.

This works for everything that autograd can do, and costs a backward pass for each sample. It
serves layers that do not read one tensor with the batch first, weights that are computed from
others, tables that the samples share, and parameters that belong to no layer.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from mainstem.responses.gathering import Gathering

__all__ = ["one_by_one"]


def one_by_one(losses: Tensor, parameters: Mapping[str, Tensor], gathering: Gathering) -> None:
    """Form each sample's gradient of some parameters and add it up at once.

    Only one sample's gradients are held at a time.

    Args:
        losses: loss of each sample, shape (B,); the graph is kept.
        parameters: parameters in the graph, by name.
        gathering: adds up the gradients.
    """
    if not losses.requires_grad:
        return
    for sample, loss in enumerate(losses):
        wanted = list(parameters.values())
        found = torch.autograd.grad(loss, wanted, retain_graph=True, allow_unused=True)
        with torch.no_grad():
            for name, gradient in zip(parameters, found, strict=True):
                if gradient is not None:
                    dense = gradient.to_dense() if gradient.is_sparse else gradient
                    gathering.add_one_sample(sample, name, dense.float())
