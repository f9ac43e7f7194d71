"""The listener of one pass: taps every layer as it is run, and hands what came back to it to its formula."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from mainstem.errors import ModelError
from mainstem.responses.coverage import Place
from mainstem.responses.gathering import Gathering
from mainstem.responses.layers import affine, linear, per_sample, transposed_linear
from mainstem.responses.live import Live
from mainstem.responses.modes import in_float32
from mainstem.responses.outer import Outer
from mainstem.responses.tap import tap, tap_linear
from mainstem.responses.vector import Vector

__all__ = ["Listener", "listening"]

_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


@contextmanager
def listening(places: Mapping[nn.Module, Place], gathering: Gathering) -> Iterator["Listener"]:
    """A listener at the layers while the block lasts.

    Args:
        places: the layers.
        gathering: takes what each contributes.
    """
    listener = Listener(gathering, [place.name for place in places.values()])
    handles = [
        layer.register_forward_hook(partial(listener.on_forward, place=place, is_plain_linear=_is_plain_linear(layer)))
        for layer, place in places.items()
    ]
    try:
        yield listener
    finally:
        for handle in handles:
            handle.remove()


class Listener:
    """Listens to one forward and one backward pass.

    Args:
        gathering: takes what each layer contributes.
        names: of the layers.
    """

    def __init__(self, gathering: Gathering, names: Sequence[str]) -> None:
        self._gathering, self._names = gathering, list(names)
        self._uses: Counter[str] = Counter()  # of each parameter, in the forward pass
        self._readers: Counter[int] = Counter()  # of each input, by its address
        self._tapped: set[str] = set()
        self._computing = self._is_backward = self._is_over = False

    def backward(self, loss: Tensor) -> None:
        """Run the backward pass.

        Raises:
            ModelError: if a layer was run where it could not be heard.
        """
        if not self._uses:
            msg = (
                f"the model was run without any of the layers {self._names}, or before the probe could listen; "
                "run it inside `run`, and a compiled one for the first time there"
            )
            raise ModelError(msg)
        self._is_backward = True
        if loss.requires_grad:
            loss.backward()  # type: ignore[no-untyped-call]
        self._is_over = True
        lost = self._uses.keys() - self._tapped
        if lost:
            msg = (
                f"{', '.join(sorted(lost))} was used without gradients only (torch.no_grad, or a reentrant checkpoint that "
                "nothing trained comes before); leave it out by `layers`, or checkpoint with use_reentrant=False"
            )
            raise ModelError(msg)

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def on_forward(
        self, layer: Any, inputs: tuple[Any, ...], output: Tensor, *, place: Place, is_plain_linear: bool
    ) -> Tensor | None:
        """Tap a layer that was run; gives what goes on instead of its output."""
        if self._computing:  # a formula may run its layer
            return None
        if not self._is_backward:  # subtle: in the backward pass a checkpoint runs its layers again
            self._uses.update(place.parameters.values())
        if not torch.is_grad_enabled():  # a reentrant checkpoint runs its layers first without gradients
            return None
        self._tapped.update(place.parameters.values())
        read, samples = inputs[0], self._gathering.samples
        if isinstance(layer, nn.Embedding):
            _check_ids(place.name, read)
            if len(output) == 1 < samples:
                # subtle: position ids of shape (1, T) are shared by the batch; what comes back would be its sum
                read, output = (x.expand(samples, *x.shape[1:]) for x in (read, output))
        self._readers[read.data_ptr()] += 1
        heard = partial(self._on_backward, layer, place)
        if is_plain_linear and read.requires_grad and output.dtype == torch.float32 and not output.is_cuda:
            return tap_linear(output, read, layer.weight, heard, self._gathering.live)
        is_of_tokens = place.formula in (linear, transposed_linear)
        return tap(output, read, heard, self._gathering.live if is_of_tokens else None)

    @torch.no_grad()
    def _on_backward(self, layer: nn.Module, place: Place, a: Tensor, b: Tensor, live: Live | None) -> None:
        gathering = self._gathering
        if self._is_over:
            msg = "what the probe listened to was passed backward again after the pass was over; run the model anew"
            raise RuntimeError(msg)
        if len(b) != gathering.samples:
            msg = (
                f"{place.name or 'the model'}, a {type(layer).__name__}, saw {len(b)} rows where the batch has "
                f"{gathering.samples}; give every input one row for each sample"
            )
            raise ValueError(msg)
        with in_float32(b.device.type):
            read = a if isinstance(layer, nn.Embedding) else a.float()
            self._computing = True
            names = place.parameters
            if place.is_affine and all(self._uses[name] == 1 for name in names.values()):
                gathering.add([names["weight"], names["bias"]], affine(b.float(), read, live))
            else:
                for own_name, contribution in place.formula(layer, read, b.float(), live, names).items():
                    name = names[own_name]
                    if self._uses[name] == 1:
                        gathering.add([name], contribution)
                    else:
                        gathering.add_one_of_several(name, contribution)
            if place.formula is per_sample:  # gradients that are formed are large: not held
                gathering.close(Vector)
            self._readers[a.data_ptr()] -= 1
            if not self._readers[a.data_ptr()]:  # else the next layer may have read the same, and can join
                gathering.close(Outer)
                if live is not None:
                    live.forget()
            self._computing = False


def _is_plain_linear(layer: nn.Module) -> bool:
    """Whether a layer is a frozen linear one and nothing else: no subclass, no hook that may change its output."""
    if type(layer) is not nn.Linear or layer.weight.requires_grad or (layer.bias is not None and layer.bias.requires_grad):
        return False
    return not any(getattr(layer, hooks) for hooks in _HOOKS)


def _check_ids(name: str, ids: Tensor) -> None:
    """Ids of shape (T,) that count up are positions that the samples share, even where T happens to be B."""
    if ids.dim() == 1 and len(ids) > 1 and torch.equal(ids - ids[0], torch.arange(len(ids), device=ids.device)):
        msg = f"{name} read positions of shape ({len(ids)},), which the samples share; give them one row for each sample"
        raise ValueError(msg)
