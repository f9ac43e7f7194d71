"""What a backward pass leaves of each sample's gradient, summed up layer by layer."""

import torch
from torch import Tensor

from mainstem.responses.contributions import Contribution, Outer, cross, merge
from mainstem.responses.live import LiveTokens
from mainstem.responses.shared import Shared
from mainstem.responses.sketch import Tables, back

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
        self.shared = Shared(self.squared)
        self._several: dict[str, list[Contribution]] = {}

    @property
    def norm(self) -> Tensor:
        """Lengths of the gradients, shape (B,)."""
        return self.squared.clamp_min(0).sqrt()  # subtle: a weight used twice may cancel itself but for rounding

    @property
    def sketch(self) -> Tensor:
        """The sketches, shape (B, k)."""
        return back(self._waves) if self._tables else self.dots[:, :0]

    def add(self, parameter: str, contribution: Contribution, *, alone: bool) -> None:
        """Add what one pass through a layer contributed.

        Args:
            parameter: its name in the model.
            contribution: of each sample.
            alone: whether it is the only one to this parameter; others add up with it before a norm is taken, in `finish`.
        """
        if alone:
            self.squared += contribution.squared(self.shared)
        else:
            self._several.setdefault(parameter, []).append(contribution)
        for place, direction in enumerate(self._directions):
            if parameter in direction:
                self.dots[:, place] += contribution.dot(direction[parameter])
        if self._tables:
            self._waves += contribution.sketch(self._tables[parameter], self.shared)

    def add_affine(self, weight: str, bias: str, contribution: Outer) -> None:
        """Add what one pass through a linear layer contributed to its weight and its bias, if nothing else contributes.

        Args:
            weight, bias: their names in the model.
            contribution: of both, as one matrix.
        """
        self.squared += contribution.squared(self.shared)
        for place, direction in enumerate(self._directions):
            if weight in direction:
                self.dots[:, place] += contribution.dot(direction[weight], direction.get(bias))
            elif bias in direction:
                self.dots[:, place] += contribution.left.sum(1) @ direction[bias]
        if self._tables:
            self._waves += contribution.sketch(self._tables[weight], self.shared)

    def finish(self) -> None:
        """Take the norms of what had to be added up first: |g + h|^2 = |g|^2 + |h|^2 + 2 g.h."""
        self.shared.keep = False
        for several in self._several.values():
            merged = merge(several)
            for place, one in enumerate(merged):
                self.squared += one.squared(self.shared)
                for other in merged[:place]:
                    self.squared += 2 * cross(one, other)
        self._several.clear()
