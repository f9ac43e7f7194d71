"""A model as it must be while it is measured, and as it was afterwards."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["backward_of_recurrent", "evaluating", "frozen", "grads_kept", "in_float32"]


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
    """Train no parameter inside, so that autograd computes gradients at activations only; as before afterwards."""
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
    """Take every `.grad` away inside, and put it back afterwards."""
    before = [(one, one.grad) for one in parameters]
    for one, _ in before:
        one.grad = None
    try:
        yield
    finally:
        for one, grad in before:
            one.grad = grad


def backward_of_recurrent(*, needed: bool) -> AbstractContextManager[Any]:
    """On a GPU cuDNN goes backward through a recurrent layer only while it trains; torch's own goes always."""
    return torch.backends.cudnn.flags(enabled=False) if needed else nullcontext()


def in_float32(device: str) -> AbstractContextManager[Any]:
    """Without autocast, where there is any: to switch it off takes longer than to look."""
    return (
        torch.autocast(device, enabled=False)
        if torch.is_autocast_enabled(device)
        else nullcontext()
    )
