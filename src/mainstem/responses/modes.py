"""Context managers that put a model into a mode for measuring, and back afterwards."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["backward_of_recurrent", "evaluating", "frozen", "grads_kept", "in_float32"]


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Put the model into eval mode; afterwards restore the mode of each layer by itself.

    A layer may be held in eval mode inside a model that trains.
    """
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
    """Freeze all parameters inside, so that autograd computes gradients at activations only."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    for parameter in trained:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in trained:
            parameter.requires_grad_(True)


@contextmanager
def grads_kept(parameters: Iterable[Tensor]) -> Iterator[None]:
    """Set every `.grad` to None inside, and restore it afterwards."""
    before = [(one, one.grad) for one in parameters]
    for one, _ in before:
        one.grad = None
    try:
        yield
    finally:
        for one, grad in before:
            one.grad = grad


def backward_of_recurrent(*, needed: bool) -> AbstractContextManager[Any]:
    """Let torch instead of cuDNN run recurrent layers, if needed.

    On a GPU cuDNN can go backward through a recurrent layer only in train mode; torch always can.
    """
    return torch.backends.cudnn.flags(enabled=False) if needed else nullcontext()


def in_float32(device: str) -> AbstractContextManager[Any]:
    """Switch autocast off where it is on; switching takes longer than looking."""
    return (
        torch.autocast(device, enabled=False)
        if torch.is_autocast_enabled(device)
        else nullcontext()
    )
