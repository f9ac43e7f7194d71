"""Directions in the space of a model's parameters, such as the mean gradient of trusted samples."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from mainstem.errors import ModelError
from mainstem.objectives.losses import Loss, cross_entropy
from mainstem.responses.modes import evaluating

__all__ = ["Direction", "checked", "gradient_of", "length_of"]

Direction: TypeAlias = Mapping[str, Tensor]
"""A tensor for each parameter, by its name in the model; a missing name means 0."""


def gradient_of(
    model: nn.Module, batches: Iterable[tuple[Callable[[], Any], Any]], loss: Loss = cross_entropy
) -> dict[str, Tensor]:
    """The mean gradient over samples, in eval mode.

    One ordinary backward pass makes it; many dots use it.

    Args:
        model: model whose trained parameters the gradient is taken over.
        batches: for each batch a function that runs the model on it, and its targets.
        loss: function that gives the loss of each sample.

    Returns:
        The gradient by parameter name, float32, on the model's device; empty if there is no batch.

    Raises:
        ModelError: if the losses of a batch depend on none of the parameters.

    Example:
        >>> model = nn.Linear(1, 2, bias=False)
        >>> model.weight.data.zero_()
        tensor([[0.],
                [0.]])
        >>> batch = (lambda: model(torch.tensor([[3.0]])), torch.tensor([1]))
        >>> gradient_of(model, [batch])["weight"]
        tensor([[ 1.5000],
                [-1.5000]])
    """
    trained = {name: one for name, one in model.named_parameters() if one.requires_grad}
    total = {name: torch.zeros_like(one, dtype=torch.float32) for name, one in trained.items()}
    samples = 0
    with evaluating(model), torch.enable_grad():
        for run, targets in batches:
            losses = loss(run(), targets)
            found = torch.autograd.grad(losses.sum(), list(trained.values()), allow_unused=True)
            if all(gradient is None for gradient in found):
                msg = (
                    "the losses reach no trained parameter of this model; "
                    "does `run` run the model that is given?"
                )
                raise ModelError(msg)
            for name, gradient in zip(total, found, strict=True):
                if gradient is not None:
                    total[name] += gradient
            samples += len(losses)
    return {name: one / samples for name, one in total.items()} if samples else {}


def length_of(direction: Direction) -> float:
    """Euclidean length of a direction.

    Example:
        >>> length_of({"weight": torch.tensor([[3.0]]), "bias": torch.tensor([4.0])})
        5.0
    """
    return math.sqrt(math.fsum(float(part.double().square().sum()) for part in direction.values()))


def checked(
    directions: Sequence[Direction], parameters: Mapping[str, Tensor]
) -> list[dict[str, Tensor]]:
    """The directions in float32, each part on the device of its parameter.

    Args:
        directions: directions by parameter name.
        parameters: the parameters that responses are taken over, by name.

    Raises:
        ModelError: if a direction names a parameter that is not among these, or has another shape.
    """
    for direction in directions:
        for name, part in direction.items():
            if name not in parameters:
                msg = (
                    f"a direction has {name!r}, which is no parameter of the model; "
                    "take names from named_parameters()"
                )
                raise ModelError(msg)
            if part.shape != parameters[name].shape:
                msg = (
                    f"a direction has shape {tuple(part.shape)} for {name}; "
                    f"it must be {tuple(parameters[name].shape)}"
                )
                raise ModelError(msg)
    return [
        {
            name: part.detach().to(parameters[name].device, torch.float32)
            for name, part in direction.items()
        }
        for direction in directions
    ]
