"""The same norms computed by other libraries; only the bench needs them."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Final, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

__all__ = ["PEERS"]

Cast: TypeAlias = Callable[[], AbstractContextManager[None]]
Batch: TypeAlias = Callable[[], tuple[Mapping[str, Tensor], Tensor]]
Run: TypeAlias = Callable[[], Tensor]


def _losses(model: nn.Module, inputs: Mapping[str, Tensor], labels: Tensor, cast: Cast) -> Tensor:
    with cast():
        return F.cross_entropy(model(**inputs).logits.float(), labels, reduction="none")


def _opacus_ghost(model: nn.Module, batch: Batch, cast: Cast) -> Run:
    """Norms from Gram matrices, as Opacus computes them for its fast gradient clipping."""
    # optional: the extra `bench`
    from opacus.grad_sample import GradSampleModuleFastGradientClipping

    wrapped = GradSampleModuleFastGradientClipping(
        model.train(), loss_reduction="sum", strict=False, use_ghost_clipping=True
    )

    def run() -> Tensor:
        _losses(wrapped, *batch(), cast).sum().backward()  # type: ignore[no-untyped-call]
        norms: Tensor = wrapped.get_norm_sample().detach()
        wrapped.zero_grad(set_to_none=True)
        return norms

    return run


def _opacus_hooks(model: nn.Module, batch: Batch, cast: Cast) -> Run:
    """Norms from the gradient of each sample, which Opacus forms layer by layer."""
    from opacus.grad_sample import GradSampleModule  # optional: the extra `bench`

    wrapped: Any = GradSampleModule(model.train(), loss_reduction="sum", strict=False)

    def run() -> Tensor:
        _losses(wrapped, *batch(), cast).sum().backward()  # type: ignore[no-untyped-call]
        squares = [
            one.grad_sample.flatten(1).square().sum(1)
            for one in wrapped.parameters()
            if one.grad_sample is not None
        ]
        wrapped.zero_grad(set_to_none=True)
        for parameter in wrapped.parameters():
            parameter.grad_sample = None
        return torch.stack(squares).sum(0).sqrt()

    return run


def _vmap(model: nn.Module, batch: Batch, cast: Cast) -> Run:
    """Norms from the gradient of each sample, by torch.func."""
    parameters = {name: one.detach() for name, one in model.named_parameters()}

    def loss(of: Mapping[str, Tensor], one: Mapping[str, Tensor], label: Tensor) -> Tensor:
        row = {name: tensor.unsqueeze(0) for name, tensor in one.items()}
        with cast():
            return F.cross_entropy(
                functional_call(model, dict(of), (), row).logits.float(), label.unsqueeze(0)
            )

    each = vmap(grad(loss), in_dims=(None, 0, 0))

    def run() -> Tensor:
        inputs, labels = batch()
        mask = inputs["attention_mask"]
        # subtle: vmap cannot follow the model where it makes this mask, for it branches on values
        length = mask.shape[1]
        added = torch.zeros(len(mask), 1, length, length, device=mask.device)  # (B, 1, T, T)
        hidden = mask[:, None, None, :] == 0
        added = added.masked_fill(hidden, torch.finfo(torch.float32).min)
        given = {**inputs, "attention_mask": added}
        squares = [
            one.flatten(1).square().sum(1) for one in each(parameters, given, labels).values()
        ]
        return torch.stack(squares).sum(0).sqrt()

    return run


def _loop(model: nn.Module, batch: Batch, cast: Cast) -> Run:
    """Norms by autograd, one sample after the other."""
    parameters = list(model.parameters())

    def run() -> Tensor:
        inputs, labels = batch()
        norms = []
        for place in range(len(labels)):
            one = {name: tensor[place : place + 1] for name, tensor in inputs.items()}
            gradients = torch.autograd.grad(
                _losses(model, one, labels[place : place + 1], cast).sum(), parameters
            )
            norms.append(
                torch.stack([gradient.square().sum() for gradient in gradients]).sum().sqrt()
            )
        return torch.stack(norms)

    return run


PEERS: Final[Mapping[str, Callable[[nn.Module, Batch, Cast], Run]]] = {
    "opacus ghost": _opacus_ghost,
    "opacus hooks": _opacus_hooks,
    "torch.func vmap": _vmap,
    "loop": _loop,
}
"""Makes the pass of each library, by its name, from a model, a batch and autocast."""
