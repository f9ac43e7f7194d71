"""The probe: each sample's gradient norm, dots and sketch in one forward and one backward pass.

Weights are frozen and the graph starts at the first trained layer, so that autograd computes gradients at activations only.
A tap on each layer turns its input and what comes back to it into that sample's share (`layers`, `contributions`).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from mainstem.errors import ModelError
from mainstem.responses.coverage import covered
from mainstem.responses.directions import Direction, checked, gradient_of, length_of
from mainstem.responses.gathering import Gathering
from mainstem.responses.listener import listening
from mainstem.responses.losses import Loss, cross_entropy, margins
from mainstem.responses.modes import evaluating, frozen, in_float32
from mainstem.responses.responses import Responses
from mainstem.responses.sketch import tables_of

__all__ = ["Probe"]


class Probe:
    """Computes the gradient responses of a model, one sample at a time in what it says, a batch at a time in what it does.

    Args:
        model: any module; what has `requires_grad` now is what counts.
        directions: what each gradient is multiplied with, by parameter name (`gradient_of` makes one).
        sketch: floats of a sketch, even, 32 to 1024; 0 for none.
        seed: of the sketch. Sketches of one seed and one model's parameter names compare, on any device.
        layers: patterns of the layers to take, all by default; fewer are cheaper (`["classifier", "*.layer.11"]`).
        per_sample: patterns of layers without a formula whose gradients autograd may form, one by one.

    Raises:
        ModelError: if a trained layer has no formula, a pattern fits none, or a direction is not of this model.

    Example:
        >>> model = nn.Sequential(nn.Embedding(9, 4), nn.Flatten(), nn.Linear(8, 2))
        >>> probe = Probe(model, sketch=32)
        >>> found = probe.responses(lambda: model(torch.tensor([[1, 2], [3, 3]])), torch.tensor([0, 1]))
        >>> found.norm.shape, found.sketch.shape
        (torch.Size([2]), torch.Size([2, 32]))
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        directions: Sequence[Direction] = (),
        sketch: int = 0,
        seed: int = 0,
        layers: Sequence[str] = ("*",),
        per_sample: Sequence[str] = (),
    ) -> None:
        self.model = model
        self._places = covered(model, layers, per_sample)
        parameters = dict(model.named_parameters())
        self._directions = checked(directions, parameters)
        self._floats = sketch
        of_linear = [place.parameters for place in self._places.values() if place.is_affine]
        biases = {names["weight"]: names["bias"] for names in reversed(of_linear)}  # subtle: of a shared weight, the first's
        self._tables = tables_of(self.parameters, sketch, seed, biases) if sketch else {}
        self._device = next(iter(parameters.values())).device
        self._busy = False

    @property
    def parameters(self) -> dict[str, Tensor]:
        """The parameters that responses are taken over, by name."""
        taken = {name for place in self._places.values() for name in place.parameters.values()}
        return {name: one for name, one in self.model.named_parameters() if name in taken}

    def responses(self, run: Callable[[], Any], targets: Any, *, loss: Loss = cross_entropy) -> Responses[Tensor]:
        """Responses of one batch, in eval mode and with weights frozen; both are as before afterwards.

        Args:
            run: runs the model on the batch and gives its output.
            targets: what `loss` holds the output against: labels of shape (B,), or a mapping of such.
            loss: of each sample; it must not couple them (no mean over the batch, no negatives from it).

        Raises:
            ValueError: if the batch is empty, or a layer's first dimension is not B.
            ModelError: if the model is passed without any of the layers.
        """
        with evaluating(self.model), frozen(self.model), torch.enable_grad():
            return self._pass(run, targets, loss, None)

    def training_step(
        self, run: Callable[[], Any], targets: Any, *, loss: Loss = cross_entropy, weights: Tensor | None = None
    ) -> Responses[Tensor]:
        """The backward pass of a training step, and the responses of its samples with it, for little more.

        Fills `.grad` with the gradient of sum(weights x losses), like `loss.backward()`; nothing else is touched, so that in
        train mode responses are those under this step's dropout.

        Args:
            run, targets, loss: as of `responses`.
            weights: of the samples, shape (B,), above 0; 1 / B by default, the mean.

        Example:
            >>> model = nn.Linear(1, 2)
            >>> found = Probe(model).training_step(lambda: model(torch.ones(4, 1)), torch.tensor([0, 1, 1, 0]))
            >>> model.weight.grad.shape, found.norm.shape
            (torch.Size([2, 1]), torch.Size([4]))
        """
        samples = _samples(targets)
        if weights is not None and weights.shape != (samples,):
            msg = f"weights are one number for each of the {samples} samples; got shape {tuple(weights.shape)}"
            raise ValueError(msg)
        scale = torch.full((samples,), 1 / max(samples, 1), device=self._device) if weights is None else weights
        with torch.enable_grad():
            return self._pass(run, targets, loss, scale)

    def _pass(self, run: Callable[[], Any], targets: Any, loss: Loss, weights: Tensor | None) -> Responses[Tensor]:
        samples = _samples(targets)
        if not samples:
            msg = "a batch needs at least one sample; got none"
            raise ValueError(msg)
        gathering = Gathering(samples, self._directions, self._tables, self._floats, self._device)
        with self._alone(), listening(self._places, gathering) as listener:
            output = run()
            losses = loss(output, targets)
            if losses.shape != (samples,):
                msg = f"a loss gives one number for each of the {samples} samples; got shape {tuple(losses.shape)}"
                raise ValueError(msg)
            weighted = losses if weights is None else losses * weights
            with in_float32(self._device.type):  # as torch asks: a backward pass has the types of its forward pass
                listener.backward(weighted.sum())  # subtle: the mean would shrink all by B
                with torch.no_grad():
                    gathering.finish()
        norm, dots, sketch = gathering.norm, gathering.dots, gathering.sketch
        if weights is not None:
            norm, dots, sketch = norm / weights, dots / weights.unsqueeze(1), sketch / weights.unsqueeze(1)
        losses = losses.detach()
        margin = (
            margins(output.detach().float(), targets) if loss is cross_entropy else torch.full_like(losses, float("nan"))
        )
        return Responses(norm, losses, margin, dots, sketch)

    def check(self, run: Callable[[], Any], targets: Any, *, loss: Loss = cross_entropy) -> None:
        """Compare the probe with an ordinary backward pass on one batch: worth it once, for a model of one's own.

        It finds what no look at the layers can: a weight that is used outside of its layer.

        Raises:
            ModelError: if the samples' dots with a random direction do not add up to the whole gradient's.

        Example:
            >>> model = nn.Linear(3, 2)
            >>> Probe(model).check(lambda: model(torch.ones(4, 3)), torch.tensor([0, 1, 1, 0]))
        """
        random = torch.Generator().manual_seed(0)
        direction = {name: torch.randn(one.shape, generator=random).to(one.device) for name, one in self.parameters.items()}
        before, self._directions = self._directions, [direction]
        try:
            dots = self.responses(run, targets, loss=loss).dots.double().sum().item()
        finally:
            self._directions = before
        whole = gradient_of(self.model, [(run, targets)], loss)
        parts = [(whole[name].double() * part.double()).sum() for name, part in direction.items()]
        expected = _samples(targets) * torch.stack(parts).sum().item()
        length = _samples(targets) * length_of({name: whole[name] for name in direction})
        if not abs(dots - expected) <= 1e-3 * length:
            msg = (
                f"the samples' gradients along a random direction add up to {dots:.6g}, and an ordinary backward pass says "
                f"{expected:.6g}; is a weight used outside of its layer? leave that layer out by `layers`"
            )
            raise ModelError(msg)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if self._busy:
            msg = "the probe is in use by another thread; give each its own"
            raise RuntimeError(msg)
        self._busy = True
        try:
            yield
        finally:
            self._busy = False


def _samples(targets: Any) -> int:
    return len(next(iter(targets.values()))) if isinstance(targets, Mapping) else len(targets)
