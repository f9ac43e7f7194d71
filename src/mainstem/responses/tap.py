"""The tap: passes a layer's input and the gradient at its output on, once both are known.

It is an autograd function that changes nothing. The input goes through `save_for_backward` and not
into a closure. So gradient checkpointing drops and recomputes it like every other saved tensor,
and a later write into it raises an error instead of giving a wrong number.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from mainstem.responses.live import Live, LiveTokens

__all__ = ["Heard", "is_plain_linear", "tap", "tap_linear"]

_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")

Heard: TypeAlias = Callable[[Tensor, Tensor, Live | None], None]
"""Receives a layer's input, the gradient at its output, and its live tokens (None: any may be)."""


def tap(output: Tensor, read: Tensor, heard: Heard, tokens: LiveTokens | None) -> Tensor:
    """The output unchanged; in the backward pass `heard(read, gradient at the output, live)` runs.

    Where the output is not yet part of a graph, because all weights are frozen, the graph starts
    here.

    Args:
        output: output of the layer.
        read: input of the layer.
        heard: function to call in the backward pass.
        tokens: finds the live tokens; None: any token may be live.

    Example:
        >>> x, seen = torch.tensor([[[2.0]]]), []
        >>> def heard(a, b, live):
        ...     seen.append((a.item(), b.item()))
        >>> tap(3 * x, x, heard, LiveTokens()).mul(5).sum().backward()
        >>> seen
        [(2.0, 5.0)]
    """
    begins = not output.requires_grad
    start = torch.zeros((), device=output.device, requires_grad=True) if begins else output
    tapped: Tensor = _Tap.apply(start, output.detach(), read.detach(), heard, tokens, begins)
    return tapped


def tap_linear(
    output: Tensor, read: Tensor, weight: Tensor, heard: Heard, tokens: LiveTokens
) -> Tensor:
    """A tap on a frozen linear layer on a CPU, which also computes the layer's backward pass.

    It does so for the live tokens only.

    Args:
        output: output of the layer, read weight^T + bias, shape (B, ..., P).
        read: input of the layer, shape (B, ..., D), part of a graph.
        weight: weight of the layer, shape (P, D), frozen.
        heard: function to call in the backward pass.
        tokens: finds the live tokens.
    """
    tapped: Tensor = _TapLinear.apply(read, output.detach(), weight, heard, tokens)
    return tapped


def is_plain_linear(layer: Any) -> bool:
    """Whether a layer is a frozen `nn.Linear` itself, without hooks that may change its output.

    `tap_linear` is right for such a layer.
    """
    if type(layer) is not nn.Linear or layer.weight.requires_grad:
        return False
    has_trained_bias = layer.bias is not None and layer.bias.requires_grad
    return not has_trained_bias and not any(getattr(layer, hooks) for hooks in _HOOKS)


class _Tap(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        start: Tensor,  # noqa: ARG004 - only the graph needs it
        output: Tensor,
        read: Tensor,
        *rest: Any,
    ) -> Tensor:
        ctx.save_for_backward(read)
        ctx.heard, ctx.tokens, ctx.begins = rest
        ctx.mark_dirty(output)  # so that it is not a view, and later operations may write into it
        return output

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (read,), (came_back,) = ctx.saved_tensors, gradients
        ctx.heard(read, came_back, None if ctx.tokens is None else ctx.tokens.of(came_back))
        return None if ctx.begins else came_back, *[None] * 5


class _TapLinear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, read: Tensor, output: Tensor, weight: Tensor, *rest: Any) -> Tensor:
        ctx.save_for_backward(read, weight)
        ctx.heard, ctx.tokens = rest
        ctx.mark_dirty(output)  # so that it is not a view, and later operations may write into it
        return output

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (read, weight), (came_back,) = ctx.saved_tensors, gradients
        live = ctx.tokens.of(came_back)
        through = came_back @ weight if live is None else live.product(came_back, weight)
        ctx.heard(read, came_back, live)
        return through, *[None] * 4
