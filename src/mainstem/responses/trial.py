"""Whether a layer computes what its formula says, tried on numbers: a name promises nothing.

A class called RMSNorm may add its epsilon elsewhere, read a gate, or subtract the mean. So its own
gradients on a few rows, from almost 0 to large, are compared with those of the formula.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.func import functional_call

from mainstem.responses.products import added_in

__all__ = ["agrees"]

_SCALES: Final = (1e-4, 1e-2, 1.0, 1e2, 1e4)
"""Sizes of the rows that a layer is tried on; only small rows show an epsilon."""
_CLOSE: Final = 1e-3
_CANNOT_READ: Final = (TypeError, ValueError, RuntimeError, AttributeError, IndexError)


def agrees(layer: nn.Module, width: int, formula: Callable[..., Mapping[str, Any]]) -> bool:
    """Whether the gradient of a layer's `weight`, a vector, is the one that a formula gives.

    Args:
        layer: layer with a parameter `weight` of shape (width,).
        width: width of the layer's input.
        formula: formula to try, as in `formulas`.

    Example:
        >>> from mainstem.responses.formulas import rms_norm
        >>> agrees(nn.RMSNorm(4), 4, rms_norm), agrees(nn.LayerNorm(4, bias=False), 4, rms_norm)
        (True, False)
    """
    given: Tensor = layer.get_parameter("weight")
    drawn = torch.Generator().manual_seed(0)
    scales = torch.tensor(_SCALES).view(-1, 1, 1)
    kind = added_in(given)
    # subtle: rows with a mean other than 0 expose a layer that subtracts the mean
    rows_drawn = torch.randn(len(_SCALES), 2, width, generator=drawn) + 0.5
    read = (rows_drawn * scales).to(given.device, kind)
    weight = (torch.rand(width, generator=drawn) + 0.5).to(given.device, kind)
    weight.requires_grad_()
    with torch.enable_grad():
        try:
            output = functional_call(layer, {"weight": weight}, (read,))
            came_back = torch.randn(read.shape, generator=drawn).to(given.device, kind)
            rows = [
                torch.autograd.grad((one * b).sum(), weight, retain_graph=True)[0]
                for one, b in zip(output, came_back)  # noqa: B905 - the shapes are compared below
            ]
        except _CANNOT_READ:
            return False
    if output.shape != read.shape:
        return False
    with torch.no_grad():
        found: Tensor = formula(layer, read, came_back, None, ["weight"])["weight"].gradient
        true = torch.stack(rows)
        return bool(((found - true).norm(dim=1) <= _CLOSE * true.norm(dim=1)).all())
