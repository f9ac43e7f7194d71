"""The true responses: by autograd on one sample at a time, never padded, in float64."""

import copy
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mainstem.models.tokenizer import Batch, pad
from mainstem.responses import Responses

Encoded = list[tuple[list[int], list[int]]]
Gradient = dict[str, Tensor]

CLOSE = 1e-5
"""Tolerance of norms in float32.

A float is off by 6e-8, and a norm here is a sum of some 10^4 products, whose errors grow with the
root of their number: 6e-8 x 10^2 = 6e-6. A term that is left out or counted twice changes a norm by
more than 1e-3.
"""


def gradients(model: nn.Module, losses: Callable[[nn.Module], Iterable[Tensor]]) -> list[Gradient]:
    """Compute each sample's gradient, by name of the trained parameters.

    Args:
        model: copied to float64 and eval mode.
        losses: given the copy, yields one loss per sample, each from a pass of its own.
    """
    exact = copy.deepcopy(model).double().eval()
    trained = {name: one for name, one in exact.named_parameters() if one.requires_grad}
    return [of_one(loss, trained) for loss in losses(exact)]


def of_one(loss: Tensor, trained: Mapping[str, Tensor], **more: Any) -> Gradient:
    """Compute the gradient of one number, with 0 for parameters that it does not depend on."""
    found = torch.autograd.grad(loss, list(trained.values()), allow_unused=True, **more)
    return {
        name: torch.zeros_like(one) if part is None else part
        for (name, one), part in zip(trained.items(), found, strict=True)
    }


def flat(gradient: Mapping[str, Tensor]) -> Tensor:
    """Flatten a gradient to one float64 vector, parameters in the order of their names."""
    return torch.cat([gradient[name].flatten().double() for name in sorted(gradient)])


def stacked(found: Iterable[Gradient]) -> Tensor:
    """Stack gradients, one row per sample."""
    return torch.stack([flat(one) for one in found])


def directions_of(model: nn.Module, count: int = 2, seed: int = 5) -> list[Gradient]:
    """Draw random directions over every trained parameter."""
    generator = torch.Generator().manual_seed(seed)
    trained = {name: one for name, one in model.named_parameters() if one.requires_grad}
    return [
        {name: torch.randn(one.shape, generator=generator) for name, one in trained.items()}
        for _ in range(count)
    ]


def assert_agree(
    found: Responses[Any], true: list[Gradient], directions: list[Gradient], close: float = CLOSE
) -> None:
    """Assert norms relative to themselves, and dots relative to the product of the two lengths."""
    rows, ways = stacked(true), torch.stack([flat(one) for one in directions])
    lengths = rows.norm(dim=1)
    assert pytest.approx(lengths.tolist(), rel=close) == found.norm.tolist()
    error = (found.dots.double() - rows @ ways.T).abs() / (lengths.unsqueeze(1) * ways.norm(dim=1))
    assert error.max() < close


def encoded_of(lengths: list[int], words: int, seed: int = 0) -> Encoded:
    """Draw token ids and segments of these lengths; ids repeat, as words in a text do."""
    generator = torch.Generator().manual_seed(seed)
    ids = [torch.randint(5, words, (length,), generator=generator).tolist() for length in lengths]
    return [(one, [0] * (len(one) // 2) + [1] * (len(one) - len(one) // 2)) for one in ids]


def labels_of(samples: int) -> Tensor:
    """Return labels 1, 0, 1, 0 and so on."""
    return (torch.arange(samples) + 1) % 2


def true_gradients(network: nn.Module, encoded: Encoded, labels: Tensor) -> list[Gradient]:
    """Compute each sample's gradient of a network that reads batches of text pairs."""

    def losses(exact: nn.Module) -> Iterable[Tensor]:
        for one, label in zip(encoded, labels, strict=True):
            yield F.cross_entropy(exact(pad([one], 0)), label.unsqueeze(0))

    return gradients(network, losses)


def true_norms(network: nn.Module, encoded: Encoded, labels: Tensor) -> list[float]:
    """Compute the norm of each sample's gradient over every parameter."""
    return stacked(true_gradients(network, encoded, labels)).norm(dim=1).tolist()


def batch_of(encoded: Encoded, width: int = 0) -> Batch:
    """Put the samples into one batch, padded to the longest or to `width` tokens."""
    if width <= max(len(ids) for ids, _ in encoded):
        return pad(encoded, 0)
    wide = pad([*encoded, ([0] * width, [0] * width)], 0)
    return Batch(*(tensor[:-1] for tensor in (wide.ids, wide.segments, wide.mask, wide.positions)))
