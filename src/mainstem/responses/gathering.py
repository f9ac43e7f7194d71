"""Adds up the gradient responses of a backward pass, layer by layer."""

from collections.abc import Sequence

import torch
from torch import Tensor

from mainstem.responses.contributions import Contribution, cross, merge
from mainstem.responses.gram import RoundingCheck
from mainstem.responses.live import LiveTokens
from mainstem.responses.sketch import Tables, back
from mainstem.responses.vector import Vector

__all__ = ["Gathering"]


class Gathering:
    """Sums over all parameters of the samples' squared norms, dots and sketches.

    Args:
        samples: number of samples in the batch, B.
        directions: n directions to take dots with, each a tensor by parameter name.
        tables: tables of the sketch by parameter name; empty for no sketch.
        floats: length of the sketch, k; 0 for no sketch.
        device: device of the model.
    """

    def __init__(
        self,
        samples: int,
        directions: list[dict[str, Tensor]],
        tables: dict[str, Tables],
        floats: int,
        device: torch.device,
    ) -> None:
        self.samples = samples
        self.squared = torch.zeros(samples, device=device)
        self.dots = torch.zeros(samples, len(directions), device=device)
        self._waves = torch.zeros(samples, floats // 2 + 1, device=device, dtype=torch.complex64)
        self._directions, self._tables = directions, tables
        self.live = LiveTokens()
        self._check = RoundingCheck(self.squared)
        self._several: dict[str, list[Contribution]] = {}
        # the latest contribution of each kind and the names of its parameters; see `add`
        self._held: dict[type[Contribution], tuple[Contribution, list[str]]] = {}

    @property
    def norm(self) -> Tensor:
        """Norms of the samples' gradients, shape (B,)."""
        # subtle: uses of a shared weight may cancel, and rounding may leave less than 0
        return self.squared.clamp_min(0).sqrt()

    @property
    def sketch(self) -> Tensor:
        """Sketches of the samples' gradients, shape (B, k)."""
        return back(self._waves) if self._tables else self.dots[:, :0]

    def add(self, parameters: Sequence[str], contribution: Contribution) -> None:
        """Add a layer's contribution to parameters that nothing else contributes to.

        The contribution is held until the next of its kind arrives. If the two can be joined,
        what they have in common is computed once.

        Args:
            parameters: names of the parameters in the model, in the contribution's order.
            contribution: contribution of the layer to the gradients of all samples.
        """
        kind, names = type(contribution), list(parameters)
        if kind in self._held:
            held, held_names = self._held[kind]
            joined = held.join(contribution)
            if joined is not None:
                self._held[kind] = joined, [*held_names, *names]
                return
            self.close(kind)
        self._held[kind] = contribution, names

    def add_one_of_several(self, parameter: str, contribution: Contribution) -> None:
        """Add the contribution of one of several passes through layers with the same parameter.

        The contributions must be summed before a norm is taken; `finish` does that.

        Args:
            parameter: name of the parameter in the model.
            contribution: contribution of the pass to the gradients of all samples.
        """
        self._several.setdefault(parameter, []).append(contribution)
        self._add_sums([parameter], contribution)

    def add_one_sample(self, sample: int, parameter: str, gradient: Tensor) -> None:
        """Add one sample's whole gradient of a parameter that nothing else contributes to.

        Args:
            sample: index of the sample in the batch.
            parameter: name of the parameter in the model.
            gradient: gradient of the parameter, of its shape, float32.
        """
        self.squared[sample] += gradient.square().sum()
        for place, direction in enumerate(self._directions):
            if parameter in direction:
                dot = torch.dot(gradient.flatten(), direction[parameter].flatten())
                self.dots[sample, place] += dot
        if self._tables:
            vector = Vector(gradient.reshape(1, *(gradient.shape or (1,))))
            self._waves[sample] += vector.sketch(self._tables[parameter])[0]

    def close(self, kind: type[Contribution]) -> None:
        """Add the held contribution of a kind, if there is one, to the sums."""
        if kind in self._held:
            contribution, parameters = self._held.pop(kind)
            self.squared += contribution.squared(self._check)
            self._add_sums(parameters, contribution)

    def finish(self) -> None:
        """Add what is still held, and the norms of parameters with several contributions.

        For those, |g + h|^2 = |g|^2 + |h|^2 + 2 g.h.
        """
        for kind in [*self._held]:
            self.close(kind)
        for several in self._several.values():
            merged = merge(several)
            for place, one in enumerate(merged):
                self.squared += one.squared(self._check)
                for other in merged[:place]:
                    self.squared += 2 * cross(one, other)
        self._several.clear()

    def _add_sums(self, parameters: Sequence[str], contribution: Contribution) -> None:
        """Add dots and sketch, which are linear and so need no knowledge of other contributions."""
        for place, direction in enumerate(self._directions):
            parts = [direction.get(parameter) for parameter in parameters]
            if any(part is not None for part in parts):
                self.dots.select(1, place).add_(contribution.dot(*parts))
        if self._tables:
            tables = (self._tables[parameter] for parameter in parameters)
            self._waves += contribution.sketch(*tables)
