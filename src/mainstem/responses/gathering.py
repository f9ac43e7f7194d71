"""What a backward pass leaves of each sample's gradient, summed up layer by layer."""

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
    """Sums over parameters: squared norms, dots, sketches.

    Args:
        samples: B.
        directions: n directions, each by parameter.
        tables: of the sketch, by parameter; empty for none.
        floats: k of the sketch; 0 for none.
        device: of the model.
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
        self._held: dict[type[Contribution], tuple[Contribution, list[str]]] = {}

    @property
    def norm(self) -> Tensor:
        """Lengths of the gradients, shape (B,)."""
        return self.squared.clamp_min(
            0
        ).sqrt()  # subtle: a weight used twice may cancel itself but for rounding

    @property
    def sketch(self) -> Tensor:
        """The sketches, shape (B, k)."""
        return back(self._waves) if self._tables else self.dots[:, :0]

    def add(self, parameters: Sequence[str], contribution: Contribution) -> None:
        """Add what a layer contributed to parameters that nothing else contributes to.

        It is held until it is known whether the next of its kind can join it: what they have in common is computed once.

        Args:
            parameters: their names in the model, in the contribution's order.
            contribution: of each sample.
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
        """Add what one of several passes contributed; they add up before a norm is taken, in `finish`.

        Args:
            parameter: its name in the model.
            contribution: of each sample.
        """
        self._several.setdefault(parameter, []).append(contribution)
        self._add_sums([parameter], contribution)

    def add_one_sample(self, sample: int, parameter: str, gradient: Tensor) -> None:
        """Add one sample's whole gradient of a parameter that nothing else contributes to.

        Args:
            sample: its place in the batch.
            parameter: its name in the model.
            gradient: of the parameter's shape, float32.
        """
        self.squared[sample] += gradient.square().sum()
        for place, direction in enumerate(self._directions):
            if parameter in direction:
                self.dots[sample, place] += torch.dot(
                    gradient.flatten(), direction[parameter].flatten()
                )
        if self._tables:
            self._waves[sample] += Vector(gradient.reshape(1, *(gradient.shape or (1,)))).sketch(
                self._tables[parameter]
            )[0]

    def close(self, kind: type[Contribution]) -> None:
        """Add up what is held of a kind."""
        if kind in self._held:
            contribution, parameters = self._held.pop(kind)
            self.squared += contribution.squared(self._check)
            self._add_sums(parameters, contribution)

    def finish(self) -> None:
        """Add up what is left, and take the norms of what came several times: |g + h|^2 = |g|^2 + |h|^2 + 2 g.h."""
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
        """Add the dots and the sketch, which add up whatever else there is."""
        for place, direction in enumerate(self._directions):
            parts = [direction.get(parameter) for parameter in parameters]
            if any(part is not None for part in parts):
                self.dots.select(1, place).add_(contribution.dot(*parts))
        if self._tables:
            self._waves += contribution.sketch(
                *(self._tables[parameter] for parameter in parameters)
            )
