"""The probe: each sample's gradient norm, dots and sketch in one forward and one backward pass.

Weights are frozen and the graph starts at the first trained layer, so that autograd computes gradients at activations only.
A tap on each layer turns its input and what comes back to it into that sample's share (`layers`, `contributions`).
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeGuard

import torch
from torch import Tensor, nn

from mainstem.errors import ModelError
from mainstem.responses.coverage import Place, covered
from mainstem.responses.directions import Direction, checked, gradient_of, length_of
from mainstem.responses.gathering import Gathering
from mainstem.responses.live import Live
from mainstem.responses.losses import Loss, cross_entropy, margins
from mainstem.responses.modes import evaluating, frozen
from mainstem.responses.responses import Responses
from mainstem.responses.sketch import tables_of
from mainstem.responses.tap import tap, tap_linear

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
        self._tables = tables_of(self.parameters, sketch, seed) if sketch else {}
        self._device = next(iter(parameters.values())).device
        self._gathering: Gathering | None = None
        self._uses: Counter[str] = Counter()
        self._readers: Counter[int] = Counter()
        self._tapped: set[str] = set()
        self._computing = self._is_backward = False

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
        with self._listening(samples) as gathering:
            output = run()
            losses = loss(output, targets)
            if losses.shape != (samples,):
                msg = f"a loss gives one number for each of the {samples} samples; got shape {tuple(losses.shape)}"
                raise ValueError(msg)
            self._check_passed()
            weighted = losses if weights is None else losses * weights
            self._is_backward = True
            weighted.sum().backward()  # type: ignore[no-untyped-call]  # subtle: the mean would shrink all by B
            self._check_tapped()
            gathering.finish()
        norm, dots, sketch = gathering.norm, gathering.dots, gathering.sketch
        if weights is not None:
            norm, dots, sketch = norm / weights, dots / weights.unsqueeze(1), sketch / weights.unsqueeze(1)
        losses = losses.detach()
        margin = (
            margins(output.detach().float(), targets) if loss is cross_entropy else torch.full_like(losses, float("nan"))
        )
        return Responses(norm, losses, margin, dots, sketch)

    def _check_passed(self) -> None:
        if not self._uses:
            msg = (
                f"the model was run without any of the layers {[place.name for place in self._places.values()]}, or before "
                "the probe could listen; run it inside `run`, and a compiled one for the first time there"
            )
            raise ModelError(msg)

    def _check_tapped(self) -> None:
        lost = self._uses.keys() - self._tapped
        if lost:
            msg = (
                f"{', '.join(sorted(lost))} was used without gradients only (torch.no_grad, or a reentrant checkpoint that "
                "nothing trained comes before); leave it out by `layers`, or checkpoint with use_reentrant=False"
            )
            raise ModelError(msg)

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
    def _listening(self, samples: int) -> Iterator[Gathering]:
        if self._gathering is not None:
            msg = "the probe is in use by another thread; give each its own"
            raise RuntimeError(msg)
        self._gathering = Gathering(samples, self._directions, self._tables, self._floats, self._device)
        handles = [
            layer.register_forward_hook(partial(self._on_forward, place=place)) for layer, place in self._places.items()
        ]
        try:
            yield self._gathering
        finally:
            self._gathering, self._computing, self._is_backward = None, False, False
            self._uses.clear()
            self._tapped.clear()
            self._readers.clear()
            for handle in handles:
                handle.remove()

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def _on_forward(self, layer: nn.Module, inputs: tuple[Any, ...], output: Tensor, *, place: Place) -> Tensor | None:
        gathering = self._gathering
        if gathering is None or self._computing:  # a formula may run its layer
            return None
        if not self._is_backward:  # subtle: in the backward pass a checkpoint runs its layers again
            self._uses.update(place.parameters.values())
        if not torch.is_grad_enabled():  # a reentrant checkpoint runs its layers first without gradients
            return None
        self._tapped.update(place.parameters.values())
        read = inputs[0]
        if isinstance(layer, nn.Embedding):
            _check_ids(place.name, read)
        if isinstance(layer, nn.Embedding) and len(output) == 1 < gathering.samples:
            # subtle: position ids of shape (1, T) are shared by the batch; what comes back would be its sum
            read, output = (x.expand(gathering.samples, *x.shape[1:]) for x in (read, output))
        self._readers[read.data_ptr()] += 1
        heard = partial(self._on_backward, layer, place)
        if _is_plain_linear(layer) and read.requires_grad and output.dtype == torch.float32 and not output.is_cuda:
            return tap_linear(output, read, layer.weight, heard, gathering.live)
        return tap(output, read, heard, gathering.live)

    @torch.no_grad()
    def _on_backward(self, layer: nn.Module, place: Place, a: Tensor, b: Tensor, live: Live | None) -> None:
        gathering = self._gathering
        if gathering is None:
            msg = "what the probe listened to was passed backward again after the pass was over; run the model anew"
            raise RuntimeError(msg)
        if len(b) != gathering.samples:
            msg = (
                f"{place.name or 'the model'}, a {type(layer).__name__}, saw {len(b)} rows where the batch has "
                f"{gathering.samples}; give every input one row for each sample"
            )
            raise ValueError(msg)
        with torch.autocast(b.device.type, enabled=False):
            read = a if isinstance(layer, nn.Embedding) else a.float()
            self._computing, gathering.shared.keep = True, self._readers[a.data_ptr()] > 1
            for own_name, contribution in place.formula(layer, read, b.float(), live, place.parameters).items():
                name = place.parameters[own_name]
                gathering.add(name, contribution, alone=self._uses[name] == 1)
            self._computing = False
            if live is not None and not gathering.shared.keep:
                live.forget()


def _samples(targets: Any) -> int:
    return len(next(iter(targets.values()))) if isinstance(targets, Mapping) else len(targets)


def _is_plain_linear(layer: nn.Module) -> TypeGuard[nn.Linear]:
    """Whether a layer is a frozen linear one and nothing else: no subclass, no hook of others that may change its output."""
    hooks = [len(getattr(layer, f"_{kind}_hooks")) for kind in ("forward", "forward_pre", "backward", "backward_pre")]
    is_frozen = not any(parameter.requires_grad for parameter in layer.parameters())
    return type(layer) is nn.Linear and is_frozen and hooks == [1, 0, 0, 0]


def _check_ids(name: str, ids: Tensor) -> None:
    """Ids of shape (T,) that count up are positions that the samples share, even where T happens to be B."""
    if ids.dim() == 1 and len(ids) > 1 and torch.equal(ids - ids[0], torch.arange(len(ids), device=ids.device)):
        msg = f"{name} read positions of shape ({len(ids)},), which the samples share; give them one row for each sample"
        raise ValueError(msg)
