"""Directions in the space of a model's parameters, and the gradient that is one: of samples that are trusted."""

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
"""A tensor for each parameter, by its name in the model; 0 where a name is missing."""


def gradient_of(
    model: nn.Module, batches: Iterable[tuple[Callable[[], Any], Any]], loss: Loss = cross_entropy
) -> dict[str, Tensor]:
    """The mean gradient over samples, in eval mode: an ordinary backward pass, made once for many dots.

    Args:
        model: whose trained parameters count.
        batches: for each batch a function that runs the model on it, and its targets.
        loss: of each sample.

    Returns:
        float32, on the model's device, by the parameter's name; nothing where there is no batch.

    Raises:
        ModelError: if a batch's losses reach none of the parameters.

    Example:
        >>> model = nn.Linear(1, 2, bias=False)
        >>> model.weight.data.zero_()
        tensor([[0.],
                [0.]])
        >>> gradient_of(model, [(lambda: model(torch.tensor([[3.0]])), torch.tensor([1]))])["weight"]
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
                msg = "the losses reach no trained parameter of this model; does `run` run the model that is given?"
                raise ModelError(msg)
            for name, gradient in zip(total, found, strict=True):
                if gradient is not None:
                    total[name] += gradient
            samples += len(losses)
    return {name: one / samples for name, one in total.items()} if samples else {}


def length_of(direction: Direction) -> float:
    """Length of a direction.

    Example:
        >>> length_of({"weight": torch.tensor([[3.0]]), "bias": torch.tensor([4.0])})
        5.0
    """
    return math.sqrt(math.fsum(float(part.double().square().sum()) for part in direction.values()))


def checked(
    directions: Sequence[Direction], parameters: Mapping[str, Tensor]
) -> list[dict[str, Tensor]]:
    """The directions in float32, where the parameters are.

    Raises:
        ModelError: if a name is not one of the parameters, or a shape is another.
    """
    for direction in directions:
        for name, part in direction.items():
            if name not in parameters:
                msg = f"a direction has {name!r}, which is no parameter of the model; take names from named_parameters()"
                raise ModelError(msg)
            if part.shape != parameters[name].shape:
                msg = f"a direction has shape {tuple(part.shape)} for {name}; it must be {tuple(parameters[name].shape)}"
                raise ModelError(msg)
    return [
        {
            name: part.detach().to(parameters[name].device, torch.float32)
            for name, part in direction.items()
        }
        for direction in directions
    ]
