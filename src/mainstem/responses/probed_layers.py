"""The layers of a probe, and what its passes have found out about them."""

from collections.abc import Collection, Sequence

from torch import Tensor, nn

from mainstem.errors import BatchError, ModelError
from mainstem.responses.advice import what_to_do
from mainstem.responses.coverage import by_autograd, covered
from mainstem.responses.listener import Listener
from mainstem.responses.verifying import Uses, used_outside

__all__ = ["ProbedLayers"]


class ProbedLayers:
    """The layers that a probe covers: which ones it listens to, and which gradients autograd forms.

    Args:
        model: any module; a parameter with `requires_grad` counts as trained.
        layers: patterns of the layers to take.
        per_sample: patterns of the layers whose gradients autograd may form.

    Attributes:
        places: the covered layers.
        heard: the covered layers that passes listen to.
        by_autograd: parameters whose gradients autograd forms, by name.
        singly: names of the parameters that need one backward pass for each sample. It grows when
            a pass shows that listening to a layer is not enough.

    Raises:
        ModelError: if a trained layer has no formula, a pattern matches no layer, or no parameter
            is trained.
    """

    def __init__(self, model: nn.Module, layers: Sequence[str], per_sample: Sequence[str]) -> None:
        self._model = model
        self.places = covered(model, layers, per_sample)
        self.by_autograd, self.singly = by_autograd(self.places, dict(model.named_parameters()))
        self.heard = {
            layer: place
            for layer, place in self.places.items()
            if not self.singly.issuperset(place.parameters.values())
        }
        # by whether the model is in train mode
        self._verified: dict[bool, set[str]] = {True: set(), False: set()}
        self._uses = Uses(self.heard.values())

    @property
    def parameters(self) -> dict[str, Tensor]:
        """The parameters that responses are taken over, by name."""
        taken = {name for place in self.places.values() for name in place.parameters.values()}
        return {name: one for name, one in self._model.named_parameters() if name in taken}

    @property
    def verified(self) -> set[str]:
        """Names of the layers known to have the batch first, in the mode that the model is in."""
        return self._verified[self._model.training]

    @property
    def is_first(self) -> bool:
        """Whether the uses of the weights are still unknown in the mode that the model is in."""
        return self._uses.is_first(training=self._model.training)

    def is_new(self, listener: Listener) -> bool:
        """Whether a layer ran, or did not run, for the first time in this pass."""
        unheard = listener.unheard(self.heard.values())
        return self._uses.is_new(unheard, training=self._model.training)

    def refusal(self, name: str, why: str, others: Collection[str] = ()) -> str:
        """The message for a layer that the formulas do not fit; it says which layers to choose.

        Args:
            name: name of the layer.
            why: what is wrong with it, as the end of a sentence about the layer.
            others: names of further layers with the same fault.
        """
        kind = type(self._model.get_submodule(name)).__name__
        bad = {name, *others, *(place.name for place in self.places.values() if place.is_formed)}
        known = [place.name for place in self.places.values() if place.name not in bad]
        return f"{name or 'the model'}, a {kind}, {why}; {what_to_do(sorted(bad), known)}"

    def check_heard(self, listener: Listener, losses: Tensor) -> None:
        """Check after a forward pass that each layer that ran was heard, with the batch first.

        A layer that was not, and whose gradients autograd may form, is added to `singly`.

        Args:
            listener: listener of the pass.
            losses: loss of each sample, shape (B,); the graph is kept.

        Raises:
            BatchError: if a layer did not read one tensor with one row for each sample.
            ModelError: if no layer ran, or a layer ran without gradients only.
        """
        if not self.singly:
            listener.check_heard()
        trained = [one for one in self._model.parameters() if one.requires_grad]
        listener.check_batch(losses, trained)
        for place in self.heard.values() if self.by_autograd else ():
            if place.is_formed:
                names = set(place.parameters.values())
                not_heard = listener.unheard([place]) | listener.lost()
                if place.name in listener.misread or not not_heard.isdisjoint(names):
                    self.singly |= names
                    listener.misread.pop(place.name, None)
        if listener.misread:
            name, why = next(iter(listener.misread.items()))
            why = f"{why}; give every input one row for each sample"
            raise BatchError(self.refusal(name, why, listener.misread))
        lost = listener.lost() - self.singly if self.singly else set()
        if lost:
            bad = [
                place.name
                for place in self.heard.values()
                if not lost.isdisjoint(place.parameters.values())
            ]
            why = (
                "was run without gradients "
                "(torch.no_grad, or a reentrant checkpoint: use_reentrant=False)"
            )
            raise ModelError(self.refusal(bad[0], why, bad))

    def check_uses(self, listener: Listener, losses: Tensor) -> None:
        """Check after a forward pass that no weight is used outside of its layers.

        A weight that is, and whose gradients autograd may form, is added to `singly`.

        Args:
            listener: listener of the pass, with `crossings`.
            losses: loss of each sample, from a graph that holds the parameters.

        Raises:
            ModelError: if another weight is used outside of its layers.
        """
        unheard = listener.unheard(self.heard.values())
        found = used_outside(losses, listener.crossings or {}, self.parameters) - self.singly
        refused = sorted(found - self.by_autograd.keys())
        if refused:
            bad = self._uses.owners(refused)
            was_run = "was not run" if refused[0] in unheard else "was run"
            why = f"{was_run}, but {refused[0]} was used outside of its layer"
            raise ModelError(self.refusal(bad[0], why, bad))
        self.singly |= found
        self._uses.learn(unheard, training=self._model.training)
