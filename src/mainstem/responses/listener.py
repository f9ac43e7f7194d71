"""Listens to one pass: taps every layer as it runs, and gives its gradient to its formula."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import Node, get_gradient_edge

from mainstem.errors import ModelError
from mainstem.responses.coverage import CoveredLayer
from mainstem.responses.formulas import affine, linear, transposed_linear
from mainstem.responses.gathering import Gathering
from mainstem.responses.isolation import BatchCheck
from mainstem.responses.live import Live, is_same
from mainstem.responses.modes import grads_kept, in_float32
from mainstem.responses.outer import Outer
from mainstem.responses.products import is_for_matrix_units
from mainstem.responses.reading import misread, read_by
from mainstem.responses.tap import is_plain_linear, tap, tap_linear
from mainstem.responses.vector import Vector
from mainstem.responses.verifying import node_of

__all__ = ["Listener", "listening"]


@contextmanager
def listening(
    places: Mapping[nn.Module, CoveredLayer], gathering: Gathering, verified: set[str]
) -> Iterator["Listener"]:
    """Listen to layers while the block lasts.

    Args:
        places: the covered layers.
        gathering: adds up the contributions of the layers.
        verified: names of the layers whose first dimension is known to be the batch; the pass
            adds the layers that it checks.
    """
    listener = Listener(gathering, [place.name for place in places.values()], verified)
    handles = []
    for layer, place in places.items():
        hook = partial(listener.on_forward, place=place, is_plain=is_plain_linear(layer))
        # subtle: it must run before other hooks, which may change the layer's output
        handles.append(layer.register_forward_hook(hook, prepend=True, with_kwargs=True))
    is_fast = torch.backends.mha.get_fastpath_enabled()
    # the fast path reads the weights of layers that it does not run
    torch.backends.mha.set_fastpath_enabled(value=False)
    try:
        yield listener
    finally:
        torch.backends.mha.set_fastpath_enabled(value=is_fast)
        listener.forget_graph()
        for handle in handles:
            handle.remove()


class Listener:
    """Listens to one forward and one backward pass.

    Args:
        gathering: adds up the contributions of the layers.
        names: names of the layers.
        verified: names of the layers whose first dimension is known to be the batch.

    Attributes:
        is_reentrant: whether a layer ran inside a reentrant checkpoint, first without gradients.
        misread: layers that no formula fits in this pass, by name, with what they read or gave.
        formed: names of parameters whose gradients come from elsewhere and are skipped here.
        dimensions: sizes of all dimensions but the first that layers read or gave. It is None,
            and not recorded, unless the caller sets it.
        crossings: for the graph node of each layer's output, the node of its input. It is None,
            and not recorded, unless the caller sets it.
    """

    def __init__(self, gathering: Gathering, names: Sequence[str], verified: set[str]) -> None:
        self._gathering, self._names = gathering, list(names)
        self._batch_check = BatchCheck(self._names, verified)
        self._uses: Counter[str] = Counter()  # of each parameter, in the forward pass
        self._readers: Counter[int] = Counter()  # of each input, by its address
        self._tapped: set[str] = set()
        # the last input, and a copy of it in the type that its layer computed in
        self._cast: tuple[Tensor, Tensor] | None = None
        self._computing = self._is_backward = self._is_deaf = self._is_over = False
        self.is_reentrant = False
        self.misread: dict[str, str] = {}
        self.formed: set[str] = set()
        self.dimensions: set[int] | None = None
        self.crossings: dict[Node, Node | None] | None = None

    def check_batch(self, losses: Tensor, trained: Sequence[Tensor]) -> None:
        """Check that new layers have the batch first; add those that have not to `misread`.

        Args:
            losses: loss of each sample, shape (B,); the graph is kept.
            trained: parameters in the graph, whose `.grad` stays as it is.
        """
        if not self._batch_check.is_needed(losses, is_reentrant=self.is_reentrant):
            return
        with self.deaf():
            found = self._batch_check.run(losses, trained, is_reentrant=self.is_reentrant)
        for name, why in found.items():
            self.misread.setdefault(name, why)

    def backward(self, loss: Tensor, taken: Sequence[Tensor] = ()) -> None:
        """Run the backward pass.

        Args:
            loss: loss of the batch, one number.
            taken: parameters in the graph, whose `.grad` stays as it is.

        Raises:
            ModelError: if a layer ran only where its gradient cannot be heard, or the loss does
                not depend on the layers.
        """
        self._is_backward = True
        if loss.requires_grad and taken and not self.is_reentrant:
            # subtle: hooks that wait for the gradients of parameters do not fire
            torch.autograd.grad(loss, taken, allow_unused=True)
        elif loss.requires_grad:
            with grads_kept(taken):
                loss.backward()  # type: ignore[no-untyped-call]
        self._is_over = True
        lost = self.lost() - self.formed
        if lost:
            msg = (
                f"{', '.join(sorted(lost))} was used without gradients only (torch.no_grad, or a "
                "reentrant checkpoint that nothing trained comes before); "
                "leave it out by `layers`, or checkpoint with use_reentrant=False"
            )
            raise ModelError(msg)
        if self._tapped and not loss.requires_grad:
            msg = (
                "the losses are cut off from the layers (detach, numpy, a fixed number); "
                "compute them from the output"
            )
            raise ModelError(msg)

    def lost(self) -> set[str]:
        """Names of the parameters whose layers have so far run without gradients only."""
        return self._uses.keys() - self._tapped

    def unheard(self, places: Iterable[CoveredLayer]) -> set[str]:
        """Names of the parameters whose layers did not run."""
        return {
            name for place in places for name in place.parameters.values() if not self._uses[name]
        }

    def forget_graph(self) -> None:
        """Drop the graph, whose taps refer to this listener, to free its memory at once."""
        self._batch_check.forget()
        self.crossings = None

    def check_heard(self) -> None:
        """Raise if no layer ran.

        Raises:
            ModelError: if no layer ran.
        """
        if not self._uses and not self.misread:
            msg = (
                f"the model was run without any of the layers {self._names}, or before the probe "
                "could listen; run it inside `run`, and a compiled one for the first time there"
            )
            raise ModelError(msg)

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def on_forward(  # noqa: C901 - the hot path
        self,
        layer: Any,
        inputs: tuple[Any, ...],
        keywords: Mapping[str, Any],
        output: Any,
        *,
        place: CoveredLayer,
        is_plain: bool,
    ) -> Tensor | None:
        """Tap a layer that has run; return the tensor that replaces its output, or None."""
        if self._computing:  # a formula may run its layer
            return None
        samples = self._gathering.samples
        read = inputs[0] if len(inputs) == 1 and not keywords else read_by(inputs, keywords)
        is_embedding = isinstance(layer, nn.Embedding)
        if is_embedding and isinstance(read, Tensor) and len(output) == 1 < samples:
            # subtle: position ids of shape (1, T) are shared by the batch; without expanding them,
            # the gradient would be the sum over the batch
            read, output = (x.expand(samples, *x.shape[1:]) for x in (read, output))
        why = misread(read, output, samples, is_embedding=is_embedding)
        if why is None and any(
            type(getattr(layer, own, None)) is Tensor for own in place.parameters
        ):
            why = "was run with numbers in the place of its own weights (functional_call)"
        if why is not None:
            self.misread[place.name] = why
            return None
        if not self._is_backward:  # subtle: in the backward pass a checkpoint runs its layers again
            self._uses.update(place.parameters.values())
        if not torch.is_grad_enabled():
            # a reentrant checkpoint first runs its layers without gradients
            self.is_reentrant = True
            return None
        self._tapped.update(place.parameters.values())
        if self.dimensions is not None:
            self.dimensions.update(read.shape[1:], output.shape[1:])
        self._readers[read.data_ptr()] += not self._is_deaf
        heard = partial(self._on_backward, layer, place)
        is_cpu_float32 = output.dtype == torch.float32 and not output.is_cuda
        if is_plain and read.requires_grad and is_cpu_float32:
            tapped = tap_linear(output, read, layer.weight, heard, self._gathering.live)
        else:
            is_of_tokens = place.formula in (linear, transposed_linear)
            tapped = tap(output, read, heard, self._gathering.live if is_of_tokens else None)
        if not self._is_backward:
            if self.crossings is not None:
                self.crossings[get_gradient_edge(tapped).node] = node_of(read)
            self._batch_check.add(place.name, tapped)
        return tapped

    @torch.no_grad()
    def _on_backward(
        self, layer: nn.Module, place: CoveredLayer, a: Tensor, b: Tensor, live: Live | None
    ) -> None:
        """Give a layer's input `a` and the gradient at its output `b` to its formula."""
        if self._batch_check.is_recording:
            self._batch_check.record(place.name, b)
            return
        if self._is_deaf:
            return
        if not self._is_backward:
            msg = (
                f"a gradient that goes through {place.name or 'the model'} was taken while the "
                "model ran, and no formula is for gradients of gradients; take it outside of `run`"
            )
            raise ModelError(msg)
        if self._is_over:
            msg = (
                "a graph that the probe listened to was passed backward again after the pass was "
                "over; run the model anew"
            )
            raise RuntimeError(msg)
        with in_float32(b.device.type):
            self._computing = True
            self._contribute(layer, place, a, b, live)
            if place.is_formed:  # gradients that are formed are large: do not hold them
                self._gathering.close(Vector)
            self._readers[a.data_ptr()] -= 1
            # else the next layer may have read the same input, and its contribution can be joined
            if not self._readers[a.data_ptr()]:
                self._gathering.close(Outer)
                self._cast = None
                if live is not None:
                    live.forget()
            self._computing = False

    def _contribute(
        self, layer: nn.Module, place: CoveredLayer, a: Tensor, b: Tensor, live: Live | None
    ) -> None:
        gathering = self._gathering
        names = {own: name for own, name in place.parameters.items() if name not in self.formed}
        read, came_back = self._in_float32(a, b, place, names)
        if place.is_affine and len(names) == 2 and self._is_used_once(names):
            gathering.add([names["weight"], names["bias"]], affine(came_back, read, live))
        elif names:
            found = place.formula(layer, read, came_back, live, names)
            for own_name, contribution in found.items():
                name = names[own_name]
                if self._uses[name] == 1:
                    gathering.add([name], contribution)
                else:
                    gathering.add_one_of_several(name, contribution)

    def _in_float32(
        self, a: Tensor, b: Tensor, place: CoveredLayer, names: Mapping[str, str]
    ) -> tuple[Tensor, Tensor]:
        """The arguments of a formula in float32, unless a GPU can multiply them as they are."""
        is_product = place.formula in (linear, transposed_linear) and self._is_used_once(names)
        if not (is_product and is_for_matrix_units(b)):
            return a.float() if a.is_floating_point() else a, b.float()
        if self._cast is None or not is_same(self._cast[0], a):
            # in the type that the layer used; kept, so that layers with one input can be joined
            self._cast = a, a.to(b.dtype)
        return self._cast[1], b

    def _is_used_once(self, names: Mapping[str, str]) -> bool:
        return all(self._uses[name] == 1 for name in names.values())

    @contextmanager
    def deaf(self) -> Iterator[None]:
        """Ignore backward passes inside; a checkpoint still taps the layers that it reruns."""
        self._is_backward = self._is_deaf = True
        try:
            yield
        finally:
            self._is_backward = self._is_deaf = False
            self._gathering.live.forget()
