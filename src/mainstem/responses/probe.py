"""The probe: each sample's gradient norm, dots and sketch in one forward and one backward pass.

Weights are frozen and the graph starts at the first trained layer, so that autograd computes gradients at activations only.
A tap on each layer turns its input and what comes back to it into that sample's share (`layers`, `contributions`).
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from mainstem.errors import BatchError, ModelError
from mainstem.objectives.losses import Loss, binary_cross_entropy, cross_entropy, margins
from mainstem.responses.advice import what_to_do
from mainstem.responses.checking import Compared, check, compared, random_directions
from mainstem.responses.coverage import by_autograd, covered
from mainstem.responses.directions import Direction, checked
from mainstem.responses.gathering import Gathering
from mainstem.responses.isolation import batch_norms, check_apart
from mainstem.responses.listener import Listener, listening
from mainstem.responses.modes import backward_of_recurrent, evaluating, frozen, in_float32
from mainstem.responses.reading import samples_of
from mainstem.responses.responses import Responses
from mainstem.responses.singly import one_by_one
from mainstem.responses.sketch import tables_of
from mainstem.responses.verifying import Uses, in_graph_of, used_outside

__all__ = ["Probe"]


class Probe:
    """Computes the gradient responses of a model, one sample at a time in what it says, a batch at a time in what it does.

    Args:
        model: any module; what has `requires_grad` now is what counts.
        directions: what each gradient is multiplied with, by parameter name (`gradient_of` makes one).
        sketch: floats of a sketch, even, 32 to 1024; 0 for none.
        seed: of the sketch. Sketches of one seed and one model's parameter names compare, on any device.
        layers: patterns of the layers to take, all by default; fewer are cheaper (`["classifier", "*.layer.11"]`).
        per_sample: patterns of layers without a formula whose gradients autograd may form, sample by sample: convolutions
            and group norms at little cost, any other layer by one more backward pass for each sample.

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
        self._parameters = parameters = dict(model.named_parameters())
        self._directions = checked(directions, parameters)
        self._floats = sketch
        of_linear = [place.parameters for place in self._places.values() if place.is_affine]
        biases = {
            names["weight"]: names["bias"] for names in reversed(of_linear)
        }  # subtle: of a shared weight, the first's
        self._tables = tables_of(self.parameters, sketch, seed, biases) if sketch else {}
        self._device = next(iter(parameters.values())).device
        self._by_autograd, self._singly = by_autograd(self._places, parameters)
        self._heard = {
            layer: place
            for layer, place in self._places.items()
            if not self._singly.issuperset(place.parameters.values())
        }
        is_recurrent = any(isinstance(layer, nn.RNNBase) for layer in model.modules())
        self._needs_own_recurrent = is_recurrent and self._device.type == "cuda"
        self._verified: dict[bool, set[str]] = {
            True: set(),
            False: set(),
        }  # by whether the model trains
        self._batch_norms = batch_norms(model)
        self._uses = Uses(self._heard.values())
        self._busy = False

    @property
    def parameters(self) -> dict[str, Tensor]:
        """The parameters that responses are taken over, by name."""
        taken = {name for place in self._places.values() for name in place.parameters.values()}
        return {name: one for name, one in self.model.named_parameters() if name in taken}

    def responses(
        self, run: Callable[[], Any], targets: Any, *, loss: Loss = cross_entropy
    ) -> Responses[Tensor]:
        """Responses of one batch, in eval mode and with weights frozen; both are as before afterwards.

        The first pass also sees that no weight is used outside of its layer (but within a reentrant checkpoint, where there
        is no graph to look at), and so does each in which a layer runs, or does not, for the first time.

        Args:
            run: runs the model on the batch and gives its output; it is called again where the model goes another way.
            targets: what `loss` holds the output against: labels of shape (B,), or a mapping of such.
            loss: of each sample; it must not couple them (no mean over the batch, no negatives from it).

        Raises:
            ValueError: if the batch is empty, or the loss is not one number for each sample.
            BatchError: if a layer reads something else than one row for each sample.
            ModelError: if the model is passed without any of the layers.
        """
        with self._at_rest():
            return self._pass(
                run, targets, loss, None, in_graph=self._uses.is_first(training=self.model.training)
            )

    def training_step(
        self,
        run: Callable[[], Any],
        targets: Any,
        *,
        loss: Loss = cross_entropy,
        weights: Tensor | None = None,
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
        samples = samples_of(targets)
        if weights is not None and weights.shape != (samples,):
            msg = f"weights are one number for each of the {samples} samples; got shape {tuple(weights.shape)}"
            raise ValueError(msg)
        if weights is not None and weights.device.type == "cpu" and not bool((weights > 0).all()):
            msg = f"weights are above 0, for a norm is divided by its sample's; got {float(weights.min()):.6g} among them"
            raise ValueError(msg)
        scale = (
            torch.full((samples,), 1 / max(samples, 1), device=self._device)
            if weights is None
            else weights
        )
        with torch.enable_grad(), self._own_recurrent():
            return self._pass(run, targets, loss, scale)

    def _pass(
        self,
        run: Callable[[], Any],
        targets: Any,
        loss: Loss,
        weights: Tensor | None,
        *,
        dimensions: set[int] | None = None,
        in_graph: bool = False,
    ) -> Responses[Tensor]:
        samples = samples_of(targets)
        if not samples:
            msg = "a batch needs at least one sample; got none"
            raise ValueError(msg)
        check_apart(self._batch_norms)
        gathering = Gathering(samples, self._directions, self._tables, self._floats, self._device)
        verified = self._verified[self.model.training]
        is_seen_through, in_graph = (
            in_graph,
            in_graph or bool(self._by_autograd) or weights is not None,
        )
        taken = list(self.parameters.values()) if in_graph and weights is None else []
        with (
            self._alone(),
            listening(self._heard, gathering, verified) as listener,
            in_graph_of(taken, is_plain=is_seen_through),
        ):
            listener.dimensions, listener.crossings = dimensions, {} if in_graph else None
            output = run()
            losses = loss(output, targets)
            if losses.shape != (samples,):
                msg = f"a loss gives one number for each of the {samples} samples; got shape {tuple(losses.shape)}"
                raise ValueError(msg)
            weighted = losses if weights is None else losses * weights
            with in_float32(
                self._device.type
            ):  # as torch asks: a backward pass has the types of its forward pass
                self._check_heard(listener, losses)
                is_new = self._uses.is_new(
                    listener.unheard(self._heard.values()), training=self.model.training
                )
                if is_new and in_graph:
                    self._check_uses(listener, losses)
                listener.formed = set(self._singly)
                formed = {name: self._by_autograd[name] for name in self._singly}
                if formed:
                    with listener.deaf():
                        one_by_one(weighted, formed, gathering)
                listener.backward(weighted.sum(), taken)  # subtle: the mean would shrink all by B
                with torch.no_grad():
                    gathering.finish()
        if is_new and dimensions is None and not in_graph:
            return self._pass(run, targets, loss, weights, in_graph=True)
        norm, dots, sketch = gathering.norm, gathering.dots, gathering.sketch
        if weights is not None:
            norm, dots, sketch = (
                norm / weights,
                dots / weights.unsqueeze(1),
                sketch / weights.unsqueeze(1),
            )
        losses = losses.detach()
        has_margin = loss in (cross_entropy, binary_cross_entropy)
        margin = (
            margins(output.detach().float(), targets)
            if has_margin
            else torch.full_like(losses, float("nan"))
        )
        return Responses(norm, losses, margin, dots, sketch)

    def check(
        self,
        run: Callable[[], Any] | None = None,
        targets: Any = None,
        *,
        loss: Loss = cross_entropy,
        batches: Sequence[tuple[Callable[[], Any], Any]] = (),
    ) -> None:
        """Compare the probe with ordinary backward passes: worth it once, for a model of one's own.

        It finds by numbers what no look at the layers can. Each parameter is looked at by itself, under random weights of
        the samples, so that one sample's gradient given to another shows too.

        Args:
            run, targets, loss: as of `responses`.
            batches: more of (run, targets), of unlike numbers of samples and lengths.

        Raises:
            ModelError: if dots or norms are not those of the ordinary passes.
            ValueError: if the batches cannot show that the first dimension is the batch: there is one of one sample, or a
                layer sees another dimension of its size; or several are all of one size.

        Example:
            >>> model = nn.Linear(3, 2)
            >>> Probe(model).check(lambda: model(torch.ones(4, 3)), torch.tensor([0, 1, 1, 0]))
        """
        check(self, [*([] if run is None else [(run, targets)]), *batches], loss)

    def compared(self, run: Callable[[], Any], targets: Any, loss: Loss) -> Compared:
        """Responses of a batch, with dots along a random direction for each parameter, and what an ordinary pass says.

        Args:
            run, targets, loss: as of `responses`.
        """
        before, self._directions = self._directions, random_directions(self.parameters)
        dimensions: set[int] = set()
        try:
            with self._at_rest():
                found = self._pass(run, targets, loss, None, dimensions=dimensions)
            with evaluating(self.model), torch.enable_grad(), self._own_recurrent():
                output = run()
                return compared(
                    loss(output, targets),
                    output,
                    self.parameters,
                    self._directions,
                    found,
                    dimensions,
                )
        finally:
            self._directions = before

    def refusal(self, name: str, why: str, others: Collection[str] = ()) -> str:
        """What is said of a layer that the formulas do not hold for, with layers to choose.

        Args:
            name: of the layer.
            why: what is wrong.
            others: names of more such layers.
        """
        kind = type(self.model.get_submodule(name)).__name__
        bad = {name, *others, *(place.name for place in self._places.values() if place.is_formed)}
        known = [place.name for place in self._places.values() if place.name not in bad]
        return f"{name or 'the model'}, a {kind}, {why}; {what_to_do(sorted(bad), known)}"

    def _check_heard(self, listener: Listener, losses: Tensor) -> None:
        """Look at all that was heard, and note the parameters whose gradients are formed one by one from now on."""
        if not self._singly:
            listener.check_heard()
        listener.look(losses, [one for one in self.model.parameters() if one.requires_grad])
        for place in self._heard.values() if self._by_autograd else ():
            told, names = listener.unheard([place]) | listener.lost(), place.parameters.values()
            if place.is_formed and (place.name in listener.misread or not told.isdisjoint(names)):
                self._singly |= set(names)  # it is not run as such a layer is as a rule
                listener.misread.pop(place.name, None)
        if listener.misread:
            name, why = next(iter(listener.misread.items()))
            msg = self.refusal(
                name, f"{why}; give every input one row for each sample", listener.misread
            )
            raise BatchError(msg)
        lost = listener.lost() - self._singly if self._singly else set()
        if lost:
            bad = [
                place.name
                for place in self._heard.values()
                if not lost.isdisjoint(place.parameters.values())
            ]
            why = "was run without gradients (torch.no_grad, or a reentrant checkpoint: use_reentrant=False)"
            raise ModelError(self.refusal(bad[0], why, bad))

    def _check_uses(self, listener: Listener, losses: Tensor) -> None:
        """Raise if a weight is used outside of its layers; one that autograd may form is formed from now on."""
        unheard = listener.unheard(self._heard.values())
        found = used_outside(losses, listener.crossings or {}, self.parameters) - self._singly
        refused = sorted(found - self._by_autograd.keys())
        if refused:
            bad, what = (
                self._uses.owners(refused),
                "was not run, but" if refused[0] in unheard else "was run, but",
            )
            raise ModelError(
                self.refusal(bad[0], f"{what} {refused[0]} was used outside of its layer", bad)
            )
        self._singly |= found
        self._uses.learn(unheard, training=self.model.training)

    @contextmanager
    def _at_rest(self) -> Iterator[None]:
        with evaluating(self.model), frozen(self.model), torch.enable_grad(), self._own_recurrent():
            yield

    def _own_recurrent(self) -> AbstractContextManager[Any]:
        return backward_of_recurrent(needed=self._needs_own_recurrent)

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
