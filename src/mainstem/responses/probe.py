"""The probe: each sample's gradient norm, dots and sketch from one forward and one backward pass.

Weights are frozen and the graph starts at the first trained layer, so that autograd computes
gradients at activations only. A tap on each layer turns the layer's input and the gradient at its
output into each sample's share of the response (`formulas`, `contributions`).
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from mainstem.objectives.losses import Loss, binary_cross_entropy, cross_entropy, margins
from mainstem.objectives.pointwise import Pointwise
from mainstem.responses.checking import Compared, check, compared, random_directions
from mainstem.responses.directions import Direction, checked
from mainstem.responses.gathering import Gathering
from mainstem.responses.isolation import batch_norms, check_apart
from mainstem.responses.listener import listening
from mainstem.responses.modes import backward_of_recurrent, evaluating, frozen, in_float32
from mainstem.responses.probed_layers import ProbedLayers
from mainstem.responses.reading import samples_of
from mainstem.responses.responses import Responses
from mainstem.responses.singly import one_by_one
from mainstem.responses.sketch import tables_of
from mainstem.responses.verifying import in_graph_of

__all__ = ["Probe"]


class Probe:
    """Computes the gradient response of each sample at a model, a whole batch in one pass.

    Args:
        model: any module. Responses are taken over the parameters with `requires_grad` set now.
        directions: directions to take dots with, each a tensor by parameter name (`gradient_of`
            makes one).
        sketch: length of the sketch in floats, even, 32 to 1024; 0 for no sketch.
        seed: seed of the sketch. Sketches of one seed and one model's parameter names can be
            compared, whatever the device.
        layers: patterns of the layers to take, all by default. Fewer layers cost less
            (`["classifier", "*.layer.11"]`).
        per_sample: patterns of layers without a formula whose gradients autograd may form, sample
            by sample. Convolutions and group norms cost little; any other layer costs one more
            backward pass for each sample.

    Raises:
        ModelError: if a trained layer has no formula, a pattern matches no layer, or a direction
            does not fit this model.

    Example:
        >>> model = nn.Sequential(nn.Embedding(9, 4), nn.Flatten(), nn.Linear(8, 2))
        >>> probe = Probe(model, sketch=32)
        >>> texts, labels = torch.tensor([[1, 2], [3, 3]]), torch.tensor([0, 1])
        >>> found = probe.responses(lambda: model(texts), labels)
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
        self._layers = ProbedLayers(model, layers, per_sample)
        parameters = dict(model.named_parameters())
        self._directions = checked(directions, parameters)
        self._floats = sketch
        places = self._layers.places.values()
        of_linear = [place.parameters for place in places if place.is_affine]
        # subtle: in reverse, so that a weight that layers share keeps the bias of the first
        biases = {names["weight"]: names["bias"] for names in reversed(of_linear)}
        self._tables = tables_of(self.parameters, sketch, seed, biases) if sketch else {}
        self._device = next(iter(parameters.values())).device
        is_recurrent = any(isinstance(layer, nn.RNNBase) for layer in model.modules())
        self._needs_own_recurrent = is_recurrent and self._device.type == "cuda"
        self._batch_norms = batch_norms(model)
        self._busy = False

    @property
    def parameters(self) -> dict[str, Tensor]:
        """The parameters that responses are taken over, by name."""
        return self._layers.parameters

    def responses(
        self, run: Callable[[], Any], targets: Any, *, loss: Loss = cross_entropy
    ) -> Responses[Tensor]:
        """Responses of one batch, in eval mode and with weights frozen.

        Mode and weights are restored afterwards. The first pass also checks that no weight is used
        outside of its layer, and so does each pass in which a layer runs, or does not run, for the
        first time. Inside a reentrant checkpoint there is no graph, and so no check.

        Args:
            run: function that runs the model on the batch and returns its output. It is called
                twice where a check needs a second pass.
            targets: targets that `loss` compares the output with: labels of shape (B,), or a
                mapping of targets.
            loss: function that gives the loss of each sample. It must not couple samples (no mean
                over the batch, no negatives from it).

        Raises:
            ValueError: if the batch is empty, or the loss is not one number for each sample.
            BatchError: if a layer does not read one row for each sample.
            ModelError: if the model runs without any of the layers.
        """
        with self._at_rest():
            return self._pass(run, targets, loss, None, in_graph=self._layers.is_first)

    def training_step(
        self,
        run: Callable[[], Any],
        targets: Any,
        *,
        loss: Loss = cross_entropy,
        weights: Tensor | None = None,
    ) -> Responses[Tensor]:
        """Run the backward pass of a training step, and return its samples' responses as well.

        It costs little more than the step. It fills `.grad` with the gradient of
        sum(weights x losses), as `loss.backward()` does, and changes nothing else: in train mode,
        responses are those under the dropout of this step.

        Args:
            run, targets, loss: as in `responses`.
            weights: weights of the samples in the loss, shape (B,), above 0; by default 1 / B,
                for the mean.

        Example:
            >>> model, labels = nn.Linear(1, 2), torch.tensor([0, 1, 1, 0])
            >>> found = Probe(model).training_step(lambda: model(torch.ones(4, 1)), labels)
            >>> model.weight.grad.shape, found.norm.shape
            (torch.Size([2, 1]), torch.Size([4]))
        """
        samples = samples_of(targets)
        if weights is not None and weights.shape != (samples,):
            msg = (
                f"weights are one number for each of the {samples} samples; "
                f"got shape {tuple(weights.shape)}"
            )
            raise ValueError(msg)
        if weights is not None and weights.device.type == "cpu" and not bool((weights > 0).all()):
            msg = (
                "weights are above 0, because each norm is divided by its sample's weight; "
                f"got {float(weights.min()):.6g} among them"
            )
            raise ValueError(msg)
        if weights is None:
            weights = torch.full((samples,), 1 / max(samples, 1), device=self._device)
        with torch.enable_grad(), self._own_recurrent():
            return self._pass(run, targets, loss, weights)

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
        """Run one pass; `in_graph` puts the parameters into its graph and checks their uses."""
        samples = samples_of(targets)
        if not samples:
            msg = "a batch needs at least one sample; got none"
            raise ValueError(msg)
        check_apart(self._batch_norms)
        gathering = Gathering(samples, self._directions, self._tables, self._floats, self._device)
        layers = self._layers
        must_be_eager = in_graph
        in_graph = in_graph or bool(layers.by_autograd) or weights is not None
        taken = list(self.parameters.values()) if in_graph and weights is None else []
        with (
            self._alone(),
            listening(layers.heard, gathering, layers.verified) as listener,
            in_graph_of(taken, is_plain=must_be_eager),
        ):
            listener.dimensions, listener.crossings = dimensions, {} if in_graph else None
            output = run()
            losses = loss(output, targets)
            if losses.shape != (samples,):
                msg = (
                    f"a loss gives one number for each of the {samples} samples; "
                    f"got shape {tuple(losses.shape)}"
                )
                raise ValueError(msg)
            weighted = losses if weights is None else losses * weights
            # torch asks for a backward pass outside of autocast: it uses the types of the forward
            with in_float32(self._device.type):
                layers.check_heard(listener, losses)
                is_new = layers.is_new(listener)
                if is_new and in_graph:
                    layers.check_uses(listener, losses)
                listener.formed = set(layers.singly)
                formed = {name: layers.by_autograd[name] for name in layers.singly}
                if formed:
                    with listener.deaf():
                        one_by_one(weighted, formed, gathering)
                # subtle: the mean instead of the sum would divide all responses by B
                listener.backward(weighted.sum(), taken)
                with torch.no_grad():
                    gathering.finish()
        if is_new and dimensions is None and not in_graph:
            return self._pass(run, targets, loss, weights, in_graph=True)
        norm, dots, sketch = gathering.norm, gathering.dots, gathering.sketch
        if weights is not None:
            each = weights.unsqueeze(1)
            norm, dots, sketch = norm / weights, dots / each, sketch / each
        losses = losses.detach()
        margin = torch.full_like(losses, float("nan"))
        if loss in (cross_entropy, binary_cross_entropy):
            margin = margins(output.detach().float(), targets)
        elif isinstance(loss, Pointwise):
            margin = loss.margins(output.detach().float(), targets)
        return Responses(norm, losses, margin, dots, sketch)

    def check(
        self,
        run: Callable[[], Any] | None = None,
        targets: Any = None,
        *,
        loss: Loss = cross_entropy,
        batches: Sequence[tuple[Callable[[], Any], Any]] = (),
    ) -> float:
        """Compare the probe with ordinary backward passes; do this once for a model of your own.

        It finds by numbers what no look at the layers can show. It takes each parameter by itself,
        under random weights of the samples, so that it also notices when one sample's gradient is
        given to another.

        Args:
            run, targets, loss: as in `responses`.
            batches: further batches (run, targets), with different numbers of samples and lengths.

        Returns:
            The largest relative difference of a norm.

        Raises:
            ModelError: if dots or norms differ from those of the ordinary passes.
            ValueError: if batches cannot show that the first dimension is the batch: a single one
                has one sample, or a layer sees another dimension of its size; or all have one size.

        Example:
            >>> model, labels = nn.Linear(3, 2), torch.tensor([0, 1, 1, 0])
            >>> Probe(model).check(lambda: model(torch.ones(4, 3)), labels) < 1e-5
            True
        """
        return check(self, [*([] if run is None else [(run, targets)]), *batches], loss)

    def compared(self, run: Callable[[], Any], targets: Any, loss: Loss) -> Compared:
        """Compare the probe's responses of one batch with an ordinary pass.

        Dots are taken with one random direction for each parameter.

        Args:
            run, targets, loss: as in `responses`.
        """
        before, self._directions = self._directions, random_directions(self.parameters)
        dimensions: set[int] = set()
        try:
            with self._at_rest():
                found = self._pass(run, targets, loss, None, dimensions=dimensions)
            with evaluating(self.model), torch.enable_grad(), self._own_recurrent():
                output = run()
                losses, trained = loss(output, targets), self.parameters
                return compared(losses, output, trained, self._directions, found, dimensions)
        finally:
            self._directions = before

    def refusal(self, name: str, why: str, others: Collection[str] = ()) -> str:
        """The message for a layer that the formulas do not fit; see `ProbedLayers.refusal`."""
        return self._layers.refusal(name, why, others)

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
