"""The probe: each sample's gradient norm in one forward and one backward pass, weight gradients never formed.

Weights are frozen and the graph starts at the embeddings, so that autograd computes gradients at activations only; a
hook on each layer turns its input and what comes back to it into that sample's squared norm (`formulas`).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from mainstem.errors import ModelError
from mainstem.responses.formulas import (
    embedding_squared_norm,
    gram,
    is_gram_cheaper,
    layer_norm_squared_norm,
    linear_squared_norm,
)

__all__ = ["Probe", "Responses", "margins"]


@dataclass(frozen=True)
class Responses:
    """What is kept of the gradient responses of B samples at one version.

    Attributes:
        norm: length of d loss / d theta over every trained parameter, shape (B,), float32, >= 0.
        loss: cross-entropy in nats, shape (B,), float32.
        margin: logit of the label less the largest other one, shape (B,), float32; below 0 the model disagrees.
    """

    norm: NDArray[np.float32]
    loss: NDArray[np.float32]
    margin: NDArray[np.float32]


class Probe:
    """Computes the responses of a classifier made of linear, layer norm and embedding layers.

    Args:
        model: any module; `responses` calls it, in eval mode, with what it is given.

    Raises:
        ModelError: if a trained parameter belongs to a layer without a formula, to a layer that is frozen in part, or to
            two layers at once. A layer left out would make every norm too small, silently.

    Example:
        >>> model = nn.Sequential(nn.Embedding(9, 4), nn.Flatten(), nn.Linear(8, 2))
        >>> probe = Probe(model)
        >>> found = probe.responses(lambda: model(torch.tensor([[1, 2], [3, 3]])), torch.tensor([0, 1]))
        >>> found.norm.shape
        (2,)
    """

    def __init__(self, model: nn.Module) -> None:
        _check_coverage(model)
        self.model = model
        self._squared: Tensor | None = None
        self._passed: set[nn.Module] = set()
        self._last_gram: tuple[Tensor, Tensor] | None = None

    def responses(self, logits_of: Callable[[], Tensor], labels: Tensor) -> Responses:
        """Responses of one batch.

        Args:
            logits_of: runs the model on the batch; logits, shape (B, C). Every layer must see B first: position ids of
                shape (1, T) would mix the samples' gradients.
            labels: shape (B,), int64 in [0, C).

        Raises:
            ValueError: if the batch is empty, or a layer's first dimension is not B.
            ModelError: if a trained layer is passed twice.
        """
        if not len(labels):
            msg = "a batch needs at least one sample; got none"
            raise ValueError(msg)
        with self._watching(len(labels), labels.device):
            logits = logits_of().float()
            losses = F.cross_entropy(logits, labels, reduction="none")
            losses.sum().backward()  # type: ignore[no-untyped-call]  # subtle: the mean would shrink all by B
            squared = self._squared
        if squared is None:
            msg = "the probe was used from two threads at once; give each its own"
            raise RuntimeError(msg)
        return Responses(
            norm=squared.sqrt().cpu().numpy(),
            loss=losses.detach().cpu().numpy(),
            margin=margins(logits.detach(), labels).cpu().numpy(),
        )

    @contextmanager
    def _watching(self, samples: int, device: torch.device) -> Iterator[None]:
        trained = [parameter for parameter in self.model.parameters() if parameter.requires_grad]
        modes = [(layer, layer.training) for layer in self.model.modules()]
        self.model.eval()
        handles = [
            layer.register_forward_hook(self._on_forward)
            for layer in self.model.modules()
            if isinstance(layer, nn.Linear | nn.LayerNorm | nn.Embedding) and _is_trained(layer)
        ]
        for parameter in trained:
            parameter.requires_grad_(False)
        self._squared = torch.zeros(samples, device=device)
        try:
            with torch.enable_grad():
                yield
        finally:
            self._squared = self._last_gram = None
            self._passed.clear()
            for handle in handles:
                handle.remove()
            for parameter in trained:
                parameter.requires_grad_(True)
            for layer, mode in modes:  # each its own: one may be held in eval mode inside a model that trains
                layer.training = mode

    def _on_forward(self, layer: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> None:
        if not output.requires_grad:
            output.requires_grad_(True)
        a = inputs[0].detach()
        output.register_hook(  # type: ignore[no-untyped-call]
            lambda b: self._on_backward(layer, a, b.detach())
        )

    @torch.no_grad()
    def _on_backward(self, layer: nn.Module, a: Tensor, b: Tensor) -> None:
        squared = self._squared
        if squared is None or b.shape[0] != len(squared):
            msg = f"{type(layer).__name__} saw {b.shape[0]} rows where the batch differs; give every input B rows"
            raise ValueError(msg)
        if layer in self._passed:  # subtle: both passes' gradients add up before the norm is taken
            msg = f"{type(layer).__name__} was passed twice, which has no formula; give each pass its own layer or freeze it"
            raise ModelError(msg)
        self._passed.add(layer)
        b = b.float()
        if isinstance(layer, nn.Embedding):
            squared += embedding_squared_norm(layer, a, b)
        elif isinstance(layer, nn.LayerNorm):
            squared += layer_norm_squared_norm(layer, a.float(), b)
        elif isinstance(layer, nn.Linear):
            squared += linear_squared_norm(layer, a.float(), b, self._shared_gram(layer, a))

    def _shared_gram(self, layer: nn.Linear, a: Tensor) -> Tensor | None:
        """Gram of the input, kept for the next layer that reads the very same tensor (queries, keys, values)."""
        if a.dim() == 2 or not is_gram_cheaper(layer, a.shape[1]):
            return None
        if self._last_gram is None or self._last_gram[0].data_ptr() != a.data_ptr() or self._last_gram[0].shape != a.shape:
            self._last_gram = (a, gram(a.float()))  # subtle: holding `a` keeps its address from being used again
        return self._last_gram[1]


def margins(logits: Tensor, labels: Tensor) -> Tensor:
    """Logit of the label less the largest other logit: (B, C), (B,) -> (B,).

    Example:
        >>> margins(torch.tensor([[1.0, 4.0], [1.0, 4.0]]), torch.tensor([0, 1]))
        tensor([-3.,  3.])

    Source:
        Pleiss, Zhang, Elenberg, Weinberger, Identifying Mislabeled Data using the Area Under the Margin Ranking,
        NeurIPS 2020, https://arxiv.org/abs/2001.10528
    """
    column = labels.unsqueeze(1)
    own = logits.gather(1, column).squeeze(1)
    others = logits.scatter(1, column, float("-inf")).amax(1)
    return own - others


def _is_trained(layer: nn.Module) -> bool:
    return any(parameter.requires_grad for parameter in layer.parameters(recurse=False))


def _without_formula(layer: nn.Module) -> str:
    """What the layer is, if it has no formula."""
    if isinstance(layer, nn.LayerNorm) and len(layer.normalized_shape) > 1:
        return f"LayerNorm over {len(layer.normalized_shape)} dimensions"
    return "" if isinstance(layer, nn.Linear | nn.LayerNorm | nn.Embedding) else type(layer).__name__


def _check_coverage(model: nn.Module) -> None:
    owners: dict[int, str] = {}
    for name, layer in model.named_modules():
        if not _is_trained(layer):
            continue
        for parameter_name, parameter in layer.named_parameters(recurse=False):
            full_name = f"{name}.{parameter_name}" if name else parameter_name
            if not parameter.requires_grad:
                msg = f"{full_name} is frozen but not the rest of its {type(layer).__name__}; freeze all of it or none"
                raise ModelError(msg)
            if without_formula := _without_formula(layer):
                msg = f"{full_name} belongs to a {without_formula}, which has no formula; freeze it or use BERT"
                raise ModelError(msg)
            if id(parameter) in owners:
                msg = f"{full_name} is tied to {owners[id(parameter)]}; a tied weight has no formula yet: untie or freeze it"
                raise ModelError(msg)
            owners[id(parameter)] = full_name
    if not owners:
        msg = "the model has no trained parameter, so there is no gradient response; unfreeze some"
        raise ModelError(msg)
