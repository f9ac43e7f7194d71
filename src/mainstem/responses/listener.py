"""The listener of one pass: taps every layer as it is run, and hands what came back to it to its formula."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, Node, get_gradient_edge

from mainstem.errors import ModelError
from mainstem.responses.coverage import CoveredLayer
from mainstem.responses.formulas import affine, linear, transposed_linear
from mainstem.responses.gathering import Gathering
from mainstem.responses.isolation import factors, lengths, verdicts
from mainstem.responses.live import Live, is_same
from mainstem.responses.modes import grads_kept, in_float32
from mainstem.responses.outer import Outer
from mainstem.responses.products import is_for_matrix_units
from mainstem.responses.reading import misread, read_by
from mainstem.responses.tap import tap, tap_linear
from mainstem.responses.vector import Vector
from mainstem.responses.verifying import node_of

__all__ = ["Listener", "listening"]

_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


@contextmanager
def listening(
    places: Mapping[nn.Module, CoveredLayer], gathering: Gathering, verified: set[str]
) -> Iterator["Listener"]:
    """A listener at the layers while the block lasts.

    Args:
        places: the layers.
        gathering: takes what each contributes.
        verified: names of layers whose first dimension is known to be the batch; more are added.
    """
    listener = Listener(gathering, [place.name for place in places.values()], verified)
    handles = [
        layer.register_forward_hook(  # subtle: before any other, which may change what the layer gave
            partial(listener.on_forward, place=place, is_plain_linear=_is_plain_linear(layer)),
            prepend=True,
            with_kwargs=True,
        )
        for layer, place in places.items()
    ]
    is_fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(
        value=False
    )  # it reads the weights of layers that it does not run
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
        gathering: takes what each layer contributes.
        names: of the layers.
        verified: names of those whose first dimension is known to be the batch.

    Attributes:
        misread: layers that the formulas do not hold for in this pass, by name, with what they saw.
        formed: names of parameters whose gradients come from elsewhere.
        dimensions: all that layers saw but for the first; None where nobody asks.
        crossings: from what a layer gave to what it read, in the graph; None where nobody asks.
    """

    def __init__(self, gathering: Gathering, names: Sequence[str], verified: set[str]) -> None:
        self._gathering, self._names, self._verified = gathering, list(names), verified
        self._uses: Counter[str] = Counter()  # of each parameter, in the forward pass
        self._readers: Counter[int] = Counter()  # of each input, by its address
        self._tapped: set[str] = set()
        self._edges: list[tuple[str, GradientEdge]] = []  # of layers that are to be verified
        self._looked: list[tuple[str, Tensor]] | None = None
        self._cast: tuple[Tensor, Tensor] | None = (
            None  # what a layer read, and in the type that it read it in
        )
        self._computing = self._is_backward = self._is_deaf = self._is_over = False
        self.is_reentrant = False
        self.misread: dict[str, str] = {}
        self.formed: set[str] = set()
        self.dimensions: set[int] | None = None
        self.crossings: dict[Node, Node | None] | None = None

    def look(self, losses: Tensor, trained: Sequence[Tensor]) -> None:
        """See by more backward passes whether the layers that are new have the batch first, and note which have not.

        Args:
            losses: of the samples, shape (B,); the graph is kept.
            trained: parameters in the graph, whose `.grad` stays as it is.
        """
        samples = len(losses)
        is_new = bool(self._edges) or (
            self.is_reentrant and not self._verified.issuperset(self._names)
        )
        if samples == 1 or not is_new or not losses.requires_grad:
            return
        by = factors(samples)
        with self.deaf():
            seen = [
                self._lengths((losses * factor.to(losses.device)).sum(), trained) for factor in by
            ]
        found: dict[str, list[bool | None]] = {}
        for (name, _), verdict in zip(
            seen[0], verdicts([[one for _, one in each] for each in seen], by), strict=True
        ):
            found.setdefault(name, []).append(verdict)
        self._edges.clear()
        for name, each in found.items():
            if False in each:
                self.misread.setdefault(
                    name, f"gave {samples} rows, but a sample's loss reaches rows of others"
                )
            elif all(each):
                self._verified.add(name)

    def _lengths(self, loss: Tensor, trained: Sequence[Tensor]) -> list[tuple[str, Tensor]]:
        """Lengths of the rows of what comes back to each new layer."""
        if (
            trained and not self.is_reentrant
        ):  # subtle: nothing comes to weights, which others may be waiting for (DDP)
            edges = [edge for _, edge in self._edges]
            found = torch.autograd.grad(loss, edges, retain_graph=True, allow_unused=True)
            nothing = torch.zeros(self._gathering.samples, device=loss.device)
            return [
                (name, nothing if one is None else lengths(one))
                for (name, _), one in zip(self._edges, found, strict=True)
            ]
        self._looked = []
        with grads_kept(trained):
            loss.backward(retain_graph=True)  # type: ignore[no-untyped-call]
        seen, self._looked = self._looked, None
        return seen

    def backward(self, loss: Tensor, taken: Sequence[Tensor] = ()) -> None:
        """Run the backward pass.

        Args:
            loss: of the batch.
            taken: parameters in the graph whose `.grad` stays as it is.

        Raises:
            ModelError: if a layer was run where it could not be heard.
        """
        self._is_backward = True
        if (
            loss.requires_grad and taken and not self.is_reentrant
        ):  # subtle: whoever waits for gradients hears of none
            torch.autograd.grad(loss, taken, allow_unused=True)
        elif loss.requires_grad:
            with grads_kept(taken):
                loss.backward()  # type: ignore[no-untyped-call]
        self._is_over = True
        lost = self.lost() - self.formed
        if lost:
            msg = (
                f"{', '.join(sorted(lost))} was used without gradients only (torch.no_grad, or a reentrant checkpoint that "
                "nothing trained comes before); leave it out by `layers`, or checkpoint with use_reentrant=False"
            )
            raise ModelError(msg)
        if self._tapped and not loss.requires_grad:
            msg = "the losses are cut off from the layers (detach, numpy, a fixed number); compute them from the output"
            raise ModelError(msg)

    def lost(self) -> set[str]:
        """Names of parameters of layers that were run without gradients only, so far."""
        return self._uses.keys() - self._tapped

    def unheard(self, places: Iterable[CoveredLayer]) -> set[str]:
        """Names of parameters of layers that were not run."""
        return {
            name for place in places for name in place.parameters.values() if not self._uses[name]
        }

    def forget_graph(self) -> None:
        """Let go of the graph, whose taps hold this listener in turn: memory must be free as soon as a pass is over."""
        self._edges.clear()
        self.crossings = None

    def check_heard(self) -> None:
        """Raise if no layer was run.

        Raises:
            ModelError: if so.
        """
        if not self._uses and not self.misread:
            msg = (
                f"the model was run without any of the layers {self._names}, or before the probe could listen; "
                "run it inside `run`, and a compiled one for the first time there"
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
        is_plain_linear: bool,
    ) -> Tensor | None:
        """Tap a layer that was run; gives what goes on instead of its output."""
        if self._computing:  # a formula may run its layer
            return None
        samples = self._gathering.samples
        read = inputs[0] if len(inputs) == 1 and not keywords else read_by(inputs, keywords)
        if (
            isinstance(layer, nn.Embedding)
            and isinstance(read, Tensor)
            and len(output) == 1 < samples
        ):
            # subtle: position ids of shape (1, T) are shared by the batch; what comes back would be its sum
            read, output = (x.expand(samples, *x.shape[1:]) for x in (read, output))
        why = misread(read, output, samples, is_embedding=isinstance(layer, nn.Embedding))
        if why is None and any(
            type(getattr(layer, own, None)) is Tensor for own in place.parameters
        ):
            why = "was run with numbers in the place of its own weights (functional_call)"
        if why is not None:
            self.misread[place.name] = why
            return None
        if not self._is_backward:  # subtle: in the backward pass a checkpoint runs its layers again
            self._uses.update(place.parameters.values())
        if (
            not torch.is_grad_enabled()
        ):  # a reentrant checkpoint runs its layers first without gradients
            self.is_reentrant = True
            return None
        self._tapped.update(place.parameters.values())
        if self.dimensions is not None:
            self.dimensions.update(read.shape[1:], output.shape[1:])
        self._readers[read.data_ptr()] += not self._is_deaf
        heard = partial(self._on_backward, layer, place)
        if (
            is_plain_linear
            and read.requires_grad
            and output.dtype == torch.float32
            and not output.is_cuda
        ):
            tapped = tap_linear(output, read, layer.weight, heard, self._gathering.live)
        else:
            is_of_tokens = place.formula in (linear, transposed_linear)
            tapped = tap(output, read, heard, self._gathering.live if is_of_tokens else None)
        if self.crossings is not None and not self._is_backward:
            self.crossings[get_gradient_edge(tapped).node] = node_of(read)
        if place.name not in self._verified and not self._is_backward:
            self._edges.append((place.name, get_gradient_edge(tapped)))
        return tapped

    @torch.no_grad()
    def _on_backward(  # noqa: C901, PLR0912 - the hot path
        self, layer: nn.Module, place: CoveredLayer, a: Tensor, b: Tensor, live: Live | None
    ) -> None:
        gathering = self._gathering
        if self._looked is not None:
            if place.name not in self._verified:
                self._looked.append((place.name, lengths(b)))
            return
        if self._is_deaf:
            return
        if not self._is_backward:
            msg = (
                f"a gradient that goes through {place.name or 'the model'} was taken while the model ran, and no formula is "
                "for gradients of gradients; take it outside of `run`"
            )
            raise ModelError(msg)
        if self._is_over:
            msg = "what the probe listened to was passed backward again after the pass was over; run the model anew"
            raise RuntimeError(msg)
        names = {own: name for own, name in place.parameters.items() if name not in self.formed}
        with in_float32(b.device.type):
            read, came_back = self._in_float32(a, b, place, names)
            self._computing = True
            if place.is_affine and len(names) == 2 and self._is_used_once(names):
                gathering.add([names["weight"], names["bias"]], affine(came_back, read, live))
            elif names:
                for own_name, contribution in place.formula(
                    layer, read, came_back, live, names
                ).items():
                    name = names[own_name]
                    if self._uses[name] == 1:
                        gathering.add([name], contribution)
                    else:
                        gathering.add_one_of_several(name, contribution)
            if place.is_formed:  # gradients that are formed are large: not held
                gathering.close(Vector)
            self._readers[a.data_ptr()] -= 1
            if not self._readers[
                a.data_ptr()
            ]:  # else the next layer may have read the same, and can join
                gathering.close(Outer)
                self._cast = None
                if live is not None:
                    live.forget()
            self._computing = False

    def _in_float32(
        self, a: Tensor, b: Tensor, place: CoveredLayer, names: Mapping[str, str]
    ) -> tuple[Tensor, Tensor]:
        """What a formula gets, in float32, but for factors that a GPU multiplies as they are."""
        is_product = place.formula in (linear, transposed_linear) and self._is_used_once(names)
        if not (is_product and is_for_matrix_units(b)):
            return a.float() if a.is_floating_point() else a, b.float()
        if self._cast is None or not is_same(self._cast[0], a):
            self._cast = (
                a,
                a.to(b.dtype),
            )  # as the layer itself read it; kept, for layers that read the same can join
        return self._cast[1], b

    def _is_used_once(self, names: Mapping[str, str]) -> bool:
        return all(self._uses[name] == 1 for name in names.values())

    @contextmanager
    def deaf(self) -> Iterator[None]:
        """Hear nothing of a backward pass that is not this one; a checkpoint still taps what it runs again."""
        self._is_backward = self._is_deaf = True
        try:
            yield
        finally:
            self._is_backward = self._is_deaf = False
            self._gathering.live.forget()


def _is_plain_linear(layer: nn.Module) -> bool:
    """Whether a layer is a frozen linear one and nothing else: no subclass, no hook that may change its output."""
    if (
        type(layer) is not nn.Linear
        or layer.weight.requires_grad
        or (layer.bias is not None and layer.bias.requires_grad)
    ):
        return False
    return not any(getattr(layer, hooks) for hooks in _HOOKS)
