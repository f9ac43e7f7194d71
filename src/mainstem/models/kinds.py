"""The probes of a version: one for each kind of visit, made when it is first used.

A cheaper kind takes its norm over the last layers only. All weights are frozen while a probe runs,
so autograd builds no graph below the first of these layers, and the backward pass ends there.
"""

from collections.abc import Mapping, Sequence

from torch import Tensor

from mainstem.kinds import Kind
from mainstem.models.encoder import CrossEncoder, PairReader
from mainstem.models.families import last_blocks
from mainstem.responses import Probe
from mainstem.settings import Settings

__all__ = ["Probes", "layers_of"]


def layers_of(encoder: CrossEncoder, kind: Kind) -> tuple[str, ...]:
    """The names of the layers that the norms of a cheaper kind are taken over.

    The head of a model that mainstem makes has two linear layers. That of a given model is all that
    is outside of its body, with a linear layer beside it for the behaviour.

    Args:
        encoder: the encoder.
        kind: `Kind.LAST` or `Kind.FORWARD`.
    """
    network = encoder.network
    if isinstance(network, PairReader):
        head, body = ["head"], "bert"
    else:
        own = network.model.base_model_prefix
        parts = [name for name, _ in network.model.named_children() if name != own]
        head, body = [*(f"model.{name}" for name in parts), "beside"], f"model.{own}"
    ends = [f"{body}.{name}" for name in last_blocks(network.get_submodule(body))]
    blocks = [*ends, "behaviour", "examination"]
    modules = dict(network.named_modules())
    wanted = head if kind is Kind.FORWARD else [*blocks, *head]
    return tuple(
        name
        for name in wanted
        if name in modules and any(one.requires_grad for one in modules[name].parameters())
    )


class Probes:
    """A probe for each kind of visit.

    Args:
        encoder: the encoder whose network is probed.
        settings: settings with the seed, and with the layers of full responses.
        directions: directions that full responses take dots with.
        sketch: length of the sketch of full responses in floats; 0 for no sketch.

    Raises:
        ModelError: if a trained layer of the model has no formula.
    """

    def __init__(
        self,
        encoder: CrossEncoder,
        settings: Settings,
        *,
        directions: Sequence[Mapping[str, Tensor]],
        sketch: int,
    ) -> None:
        self._encoder, self._directions, self._sketch = encoder, len(directions), sketch
        full = Probe(
            encoder.network,
            directions=directions,
            sketch=sketch,
            seed=settings.run.seed,
            layers=settings.responses.layer_patterns,
        )
        self._made = {Kind.FULL: full}

    def of(self, kind: Kind) -> Probe:
        """The probe of a kind."""
        if kind not in self._made:
            layers = layers_of(self._encoder, kind)
            self._made[kind] = Probe(self._encoder.network, layers=layers)
        return self._made[kind]

    def widths(self, kind: Kind) -> tuple[int, int]:
        """The number of dots and the length of the sketch of a response of a kind."""
        return (self._directions, self._sketch) if kind is Kind.FULL else (0, 0)
