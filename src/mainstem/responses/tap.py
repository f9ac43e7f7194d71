"""The tap: hands a layer's input and the gradient at its output on, once both are known.

An autograd function that changes nothing. The input goes through `save_for_backward` and not into a closure, so that
gradient checkpointing drops it and computes it again as it does with every other saved tensor, and a later write into it is
an error and not a wrong number.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import torch
from torch import Tensor

from mainstem.responses.live import Live, LiveTokens

__all__ = ["Heard", "tap", "tap_linear"]

Heard: TypeAlias = Callable[[Tensor, Tensor, Live | None], None]
"""What the layer read, the gradient at its output, and which of its tokens are live (None: any may be)."""


def tap(output: Tensor, read: Tensor, heard: Heard, tokens: LiveTokens | None) -> Tensor:
    """The output as it is; in the backward pass `heard(read, gradient at the output, live)` is called.

    Where the output is no part of a graph yet (all weights are frozen), the graph begins here.

    Example:
        >>> x, seen = torch.tensor([[[2.0]]]), []
        >>> tap(3 * x, x, lambda a, b, live: seen.append((a.item(), b.item())), LiveTokens()).mul(5).sum().backward()
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
    """The same of a frozen linear layer on a CPU, whose own backward pass it takes over: that of the live tokens only.

    Args:
        output: read weight^T + bias, shape (B, ..., P).
        read: shape (B, ..., D), part of a graph.
        weight: shape (P, D), frozen.
        heard: is called in the backward pass.
        tokens: finds the live ones.
    """
    tapped: Tensor = _TapLinear.apply(read, output.detach(), weight, heard, tokens)
    return tapped


class _Tap(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, start: Tensor, output: Tensor, read: Tensor, *rest: Any) -> Tensor:  # noqa: ARG004
        ctx.save_for_backward(read)
        ctx.heard, ctx.tokens, ctx.begins = rest
        ctx.mark_dirty(output)  # not a view of it, then: who comes next may write into it
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
        ctx.mark_dirty(output)  # not a view of it, then: who comes next may write into it
        return output

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (read, weight), (came_back,) = ctx.saved_tensors, gradients
        live = ctx.tokens.of(came_back)
        through = came_back @ weight if live is None else live.product(came_back, weight)
        ctx.heard(read, came_back, live)
        return through, *[None] * 4
