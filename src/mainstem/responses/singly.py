"""Gradients that autograd forms, one sample after the other: right for whatever it can do, at a backward pass a sample.

So for layers that read several tensors or none with the batch first, for weights that are computed from others, for tables
that the samples share and for parameters that are no layer's.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from mainstem.responses.gathering import Gathering

__all__ = ["one_by_one"]


def one_by_one(losses: Tensor, parameters: Mapping[str, Tensor], gathering: Gathering) -> None:
    """Form each sample's gradient of some parameters, and add it up at once: no two are held together.

    Args:
        losses: of the samples, shape (B,); the graph is kept.
        parameters: by name, in the graph.
        gathering: takes what each sample contributes.
    """
    if not losses.requires_grad:
        return
    for sample, loss in enumerate(losses):
        found = torch.autograd.grad(
            loss, list(parameters.values()), retain_graph=True, allow_unused=True
        )
        with torch.no_grad():
            for name, gradient in zip(parameters, found, strict=True):
                if gradient is not None:
                    dense = gradient.to_dense() if gradient.is_sparse else gradient
                    gathering.add_one_sample(sample, name, dense.float())
