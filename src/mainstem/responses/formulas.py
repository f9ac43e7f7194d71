"""The layers that have a formula: what one pass through each contributes to the gradients of its parameters.

A formula is given the layer, what it read (`a`), the gradient at its output (`b`), both with the batch first and in float32,
which tokens are live (`live`), and which of its parameters are trained. Another kind of layer is one more function and one
more line in `formula_of`.
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
"""(layer, a, b, which tokens are live, names of its trained parameters) to what each of these gets."""


def formula_of(layer: Any) -> Formula | None:  # noqa: PLR0911 - a line for each kind
    """The formula of a layer, or None where there is none.

    Example:
        >>> formula_of(nn.Linear(2, 2)).__name__, formula_of(nn.Conv2d(1, 1, 1))
        ('linear', None)
    """
    own = dict(layer.named_parameters())
    is_called = type(layer).__call__ is nn.Module.__call__
    if (
        not own.keys() <= {"weight", "bias"}
        or "weight" not in own
        or is_patched(layer)
        or not is_called
    ):
        return None
    if runs_as(
        layer, nn.Linear
    ):  # subtle: attention multiplies with the weight of its own kind and never runs it
        return None if type(layer).__name__ == "NonDynamicallyQuantizableLinear" else linear
    if runs_as(layer, nn.LayerNorm):
        return layer_norm if own["weight"].dim() == 1 else None
    if runs_as(layer, nn.Embedding):
        return embedding if not layer.scale_grad_by_freq and layer.max_norm is None else None
    if (
        type(layer).__name__ == "Conv1D" and type(layer).__module__ == "transformers.pytorch_utils"
    ):  # GPT-2's
        return transposed_linear
    if "Norm" in type(layer).__name__ and own.keys() == {"weight"} and own["weight"].dim() == 1:
        return rms_norm if agrees(layer, len(own["weight"]), rms_norm) else None
    return None


def runs_as(layer: Any, kind: type[nn.Module]) -> bool:
    """Whether it is of a kind, and not of a subclass that computes something else (an embedding that scales, say)."""
    return isinstance(layer, kind) and type(layer).forward is kind.forward


def is_patched(layer: nn.Module) -> bool:
    """Whether another `forward` was put in the place of the layer's own, or of its class's, where torch's is known.

    Example:
        >>> layer = nn.Linear(2, 2)
        >>> layer.forward = lambda x: 3 * x
        >>> is_patched(layer), is_patched(nn.Linear(2, 2))
        (True, False)
    """
    if "forward" in vars(layer):
        return True
    for kind in type(layer).__mro__:
        if "forward" in vars(
            kind
        ):  # subtle: what is put there from outside has its globals elsewhere
            ours = getattr(vars(kind)["forward"], "__globals__", {}).get("__name__")
            return (
                kind.__module__.startswith(("torch.nn.", "transformers.pytorch_utils"))
                and ours != kind.__module__
            )
    return False


_SIMPLE: Final = (
    *(nn.Linear, nn.LayerNorm, nn.RMSNorm, nn.GroupNorm, nn.PReLU),
    *(nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d),
    *(nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d),
)


def is_simple(layer: nn.Module) -> bool:
    """Whether a layer is of a kind of torch's that reads one tensor and does nothing else: `per_sample` is right for it."""
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
        >>> found = linear(nn.Linear(1, 1), torch.tensor([[3.0]]), torch.tensor([[2.0]]), None, ["weight", "bias"])
        >>> found["weight"].dot(torch.ones(1, 1)), found["bias"].dot(torch.ones(1))
        (tensor([6.]), tensor([2.]))
    """
    return _multiplied(b, a, b, live, trained)


def affine(b: Tensor, a: Tensor, live: Live | None) -> Outer:
    """Weight and bias of a linear layer as one matrix, (P, D + 1)."""
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
    """Output = rows of W by the ids a; the row of `padding_idx` has no gradient."""
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
        found["weight"] = Vector(
            _summed(F.layer_norm(a, layer.normalized_shape, eps=layer.eps).mul_(b))
        )
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
        Zhang, Sennrich, Root Mean Square Layer Normalization, NeurIPS 2019, https://arxiv.org/abs/1910.07467
    """
    known = (
        getattr(layer, name, None) for name in ("variance_epsilon", "eps", "norm_eps", "epsilon")
    )
    given = next((one for one in known if isinstance(one, float)), None)
    epsilon = torch.finfo(added_in(layer.weight)).eps if given is None else given  # type: ignore[arg-type]
    return {
        "weight": Vector(_summed(a * a.square().mean(-1, keepdim=True).add(epsilon).rsqrt() * b))
    }


def per_sample(
    layer: nn.Module,
    a: Tensor,
    b: Tensor,
    live: Live | None,
    trained: Collection[str],
) -> Contributions:
    """Any layer that reads one tensor with the batch first: each sample's gradient is formed, by autograd.

    It takes as much memory as B copies of the layer.
    """
    parameters = dict(layer.named_parameters(recurse=False))
    wanted = {name: parameters[name].detach() for name in trained}

    def product(of: Mapping[str, Tensor], read: Tensor, came_back: Tensor) -> Tensor:
        output: Tensor = functional_call(layer, dict(of), (read.unsqueeze(0),))
        return (output.squeeze(0) * came_back).sum()

    formed = vmap(grad(product), in_dims=(None, 0, 0))(wanted, a, b)
    return {name: Vector(gradient) for name, gradient in formed.items()}


def _multiplied(
    left: Tensor, right: Tensor, b: Tensor, live: Live | None, trained: Collection[str]
) -> Contributions:
    """A weight whose gradient is sum_t left_t right_t^T, and a bias that is added to the output."""
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
