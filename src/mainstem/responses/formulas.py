"""The layers that have a formula: what a pass through each adds to its parameters' gradients.

A formula receives the layer, the layer's input (`a`), the gradient at its output (`b`), both with
the batch first and in float32, the tokens that are live (`live`), and the names of the layer's
trained parameters. To support another kind of layer, add a function and a line in `formula_of`.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from mainstem.responses.contributions import Contribution
from mainstem.responses.live import Live
from mainstem.responses.lookup import Lookup
from mainstem.responses.outer import Outer
from mainstem.responses.products import added_in
from mainstem.responses.trial import agrees
from mainstem.responses.vector import Vector

__all__ = [
    "Formula",
    "affine",
    "embedding",
    "formula_of",
    "is_patched",
    "is_simple",
    "layer_norm",
    "linear",
    "per_sample",
    "rms_norm",
    "runs_as",
    "transposed_linear",
]

Contributions: TypeAlias = Mapping[str, Contribution]
Formula: TypeAlias = Callable[[Any, Tensor, Tensor, Live | None, Collection[str]], Contributions]
"""(layer, a, b, live tokens, names of its trained parameters) -> a contribution for each name."""


def formula_of(layer: Any) -> Formula | None:  # noqa: PLR0911 - a line for each kind
    """The formula of a layer, or None where there is none.

    Example:
        >>> formula_of(nn.Linear(2, 2)).__name__, formula_of(nn.Conv2d(1, 1, 1))
        ('linear', None)
    """
    own = dict(layer.named_parameters())
    is_called = type(layer).__call__ is nn.Module.__call__
    is_known = "weight" in own and own.keys() <= {"weight", "bias"}
    if not is_known or not is_called or is_patched(layer):
        return None
    if runs_as(layer, nn.Linear):
        # subtle: attention multiplies with the weight of this kind and never runs the layer
        return None if type(layer).__name__ == "NonDynamicallyQuantizableLinear" else linear
    if runs_as(layer, nn.LayerNorm):
        return layer_norm if own["weight"].dim() == 1 else None
    if runs_as(layer, nn.Embedding):
        return embedding if not layer.scale_grad_by_freq and layer.max_norm is None else None
    kind = type(layer)
    if kind.__name__ == "Conv1D" and kind.__module__ == "transformers.pytorch_utils":  # of GPT-2
        return transposed_linear
    if "Norm" in kind.__name__ and own.keys() == {"weight"} and own["weight"].dim() == 1:
        return rms_norm if agrees(layer, len(own["weight"]), rms_norm) else None
    return None


def runs_as(layer: Any, kind: type[nn.Module]) -> bool:
    """Whether a layer is of a kind and keeps that kind's `forward`.

    A subclass may compute something else, as an embedding that scales its rows does.
    """
    return isinstance(layer, kind) and type(layer).forward is kind.forward


def is_patched(layer: nn.Module) -> bool:
    """Whether the `forward` of the layer, or of its class in torch, was replaced.

    Example:
        >>> layer = nn.Linear(2, 2)
        >>> layer.forward = lambda x: 3 * x
        >>> is_patched(layer), is_patched(nn.Linear(2, 2))
        (True, False)
    """
    if "forward" in vars(layer):
        return True
    for kind in type(layer).__mro__:
        if "forward" in vars(kind):
            # subtle: the globals of a function that was put in from outside are of another module
            module = getattr(vars(kind)["forward"], "__globals__", {}).get("__name__")
            is_theirs = kind.__module__.startswith(("torch.nn.", "transformers.pytorch_utils"))
            return is_theirs and module != kind.__module__
    return False


_SIMPLE: Final = (
    *(nn.Linear, nn.LayerNorm, nn.RMSNorm, nn.GroupNorm, nn.PReLU),
    *(nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d),
    *(nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d),
)


def is_simple(layer: nn.Module) -> bool:
    """Whether a layer is of a torch kind that reads one tensor and does nothing else.

    `per_sample` is right for such a layer.
    """
    own = layer.named_parameters()
    return (
        type(layer) in _SIMPLE
        and not is_patched(layer)
        and all(name in {"weight", "bias"} for name, _ in own)
    )


def linear(
    layer: nn.Linear,
    a: Tensor,
    b: Tensor,
    live: Live | None,
    trained: Collection[str],
) -> Contributions:
    """Output = a W^T + bias, so dW = sum_t b_t a_t^T, of shape (P, D), and dbias = sum_t b_t.

    Example:
        >>> a, b = torch.tensor([[3.0]]), torch.tensor([[2.0]])
        >>> found = linear(nn.Linear(1, 1), a, b, None, ["weight", "bias"])
        >>> found["weight"].dot(torch.ones(1, 1)), found["bias"].dot(torch.ones(1))
        (tensor([6.]), tensor([2.]))
    """
    return _multiplied(b, a, b, live, trained)


def affine(b: Tensor, a: Tensor, live: Live | None) -> Outer:
    """Weight and bias of a linear layer as one matrix, shape (P, D + 1)."""
    return Outer(_tokens(b), _tokens(a), live, bias=True)


def transposed_linear(
    layer: nn.Module,
    a: Tensor,
    b: Tensor,
    live: Live | None,
    trained: Collection[str],
) -> Contributions:
    """Output = a W + bias, so dW = sum_t a_t b_t^T, of shape (D, P)."""
    return _multiplied(a, b, b, live, trained)


def embedding(
    layer: nn.Embedding,
    a: Tensor,
    b: Tensor,
    live: Live | None,
    trained: Collection[str],
) -> Contributions:
    """Output = rows of W at the ids a; the row of `padding_idx` has no gradient.

    A table that is smaller than what a sample looks up, as that of relative positions is, which is
    read for each two tokens, has its gradient formed: products of all rows would take more.
    """
    if a.dim() > 2 and layer.weight.numel() <= a[0].numel():
        return {"weight": Vector(_formed(layer, a, b))}
    ids, values = a.reshape(len(a), -1), b.reshape(len(b), -1, b.shape[-1])  # (B, T), (B, T, D)
    return {"weight": Lookup(ids, values, layer.padding_idx)}


def layer_norm(
    layer: nn.LayerNorm,
    a: Tensor,
    b: Tensor,
    live: Live | None,
    trained: Collection[str],
) -> Contributions:
    """Output = scale x normal + shift, so dscale = sum_t normal_t b_t and dshift = sum_t b_t."""
    found: dict[str, Contribution] = {}
    if "weight" in trained:
        normal = F.layer_norm(a, layer.normalized_shape, eps=layer.eps)
        found["weight"] = Vector(_summed(normal.mul_(b)))
    if "bias" in trained:
        found["bias"] = Vector(_summed(b))
    return found


def rms_norm(
    layer: nn.Module,
    a: Tensor,
    b: Tensor,
    live: Live | None,
    trained: Collection[str],
) -> Contributions:
    """Output = scale x a / rms(a), so dscale = sum_t (a_t / rms(a_t)) b_t.

    Source:
        Zhang, Sennrich, Root Mean Square Layer Normalization, NeurIPS 2019, arXiv:1910.07467
    """
    names = ("variance_epsilon", "eps", "norm_eps", "epsilon")
    known = (getattr(layer, name, None) for name in names)
    given = next((one for one in known if isinstance(one, float)), None)
    weight = layer.get_parameter("weight")
    epsilon = torch.finfo(added_in(weight)).eps if given is None else given
    normal = a * a.square().mean(-1, keepdim=True).add(epsilon).rsqrt()
    return {"weight": Vector(_summed(normal * b))}


def per_sample(
    layer: nn.Module,
    a: Tensor,
    b: Tensor,
    live: Live | None,
    trained: Collection[str],
) -> Contributions:
    """Any layer that reads one tensor with the batch first: autograd forms each sample's gradient.

    It takes as much memory as B copies of the layer.
    """
    parameters = dict(layer.named_parameters(recurse=False))
    wanted = {name: parameters[name].detach() for name in trained}

    def product(of: Mapping[str, Tensor], read: Tensor, came_back: Tensor) -> Tensor:
        output: Tensor = functional_call(layer, dict(of), (read.unsqueeze(0),))
        return (output.squeeze(0) * came_back).sum()

    formed = vmap(grad(product), in_dims=(None, 0, 0))(wanted, a, b)
    return {name: Vector(gradient) for name, gradient in formed.items()}


def _formed(layer: nn.Embedding, a: Tensor, b: Tensor) -> Tensor:
    """The gradient of each sample at a table, shape (B, P, D)."""
    rows, width = layer.weight.shape
    at = a.flatten(1) + rows * torch.arange(len(a), device=a.device).unsqueeze(1)
    formed = b.new_zeros(len(a) * rows, width, dtype=added_in(b))
    formed.index_add_(0, at.flatten(), b.reshape(-1, width).to(formed.dtype))
    formed = formed.view(len(a), rows, width)
    if layer.padding_idx is not None:
        formed[:, layer.padding_idx] = 0
    return formed


def _multiplied(
    left: Tensor, right: Tensor, b: Tensor, live: Live | None, trained: Collection[str]
) -> Contributions:
    """A weight whose gradient is sum_t left_t right_t^T, and a bias added to the output."""
    found: dict[str, Contribution] = {}
    if "weight" in trained:
        found["weight"] = Outer(_tokens(left), _tokens(right), live)
    if "bias" in trained:
        found["bias"] = Vector(_summed(b))
    return found


def _tokens(x: Tensor) -> Tensor:
    """(B, ..., D) -> (B, T, D); a row of (B, D) is one token."""
    return x.flatten(1, -2) if x.dim() > 2 else x.unsqueeze(1)


def _summed(x: Tensor) -> Tensor:
    """(B, ..., D) -> (B, D)."""
    return x.flatten(1, -2).sum(1, dtype=added_in(x)) if x.dim() > 2 else x.to(added_in(x))
