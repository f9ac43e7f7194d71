"""A model as it must be while it is measured, and as it was afterwards."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch import nn

__all__ = ["evaluating", "frozen", "in_float32"]


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """In eval mode; then each layer in its own again, for one may be held in eval mode inside a model that trains."""
    training = [layer for layer in model.modules() if layer.training]
    if training:
        model.eval()
    try:
        yield
    finally:
        for layer in training:
            layer.training = True


@contextmanager
def frozen(model: nn.Module) -> Iterator[None]:
    """With no parameter trained, so that autograd computes gradients at activations only."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    for parameter in trained:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in trained:
            parameter.requires_grad_(True)


def in_float32(device: str) -> AbstractContextManager[Any]:
    """Without autocast, where there is any: to switch it off takes longer than to look."""
    return torch.autocast(device, enabled=False) if torch.is_autocast_enabled(device) else nullcontext()
