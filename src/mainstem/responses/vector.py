"""Gradients that are formed as they are: those of scales, shifts and biases."""

from functools import cached_property

import torch
from torch import Tensor

from mainstem.responses.gram import RoundingCheck
from mainstem.responses.sketch import Tables, waves

__all__ = ["Vector"]


class Vector:
    """A gradient that is formed as it is: of scales, shifts, biases, or a layer without a formula.

    Args:
        gradient: gradient of each sample, shape (B, ...), float32.

    Attributes:
        parts: gradient of each parameter, flat, shape (B, n).
        shape: shape of the given gradient, that of the first parameter.
    """

    def __init__(self, gradient: Tensor) -> None:
        self.parts, self.shape = [gradient.flatten(1)], gradient.shape

    @cached_property
    def gradient(self) -> Tensor:
        """Gradients of all parameters side by side, shape (B, N)."""
        return torch.cat(self.parts, 1) if len(self.parts) > 1 else self.parts[0]

    def join(self, other: "Vector") -> "Vector | None":
        """Both as one; None for matrices, which are too large to hold."""
        if len(self.shape) != 2 or len(other.shape) != 2:
            return None
        both = Vector(self.parts[0])
        both.parts = [*self.parts, *other.parts]
        return both

    def squared(self, check: RoundingCheck) -> Tensor:  # noqa: ARG002 - as of a `Contribution`
        """Squared norm, shape (B,)."""
        return self.gradient.square().sum(1)

    def dot(self, *directions: Tensor | None) -> Tensor:
        """Dot with the directions, shape (B,)."""
        both = zip(self.parts, directions, strict=True)
        pairs = [(part, one.flatten()) for part, one in both if one is not None]
        if len(pairs) == len(self.parts):
            return self.gradient @ torch.cat([one for _, one in pairs])
        none = self.parts[0].new_zeros(len(self.parts[0]))
        return sum((part @ one for part, one in pairs), start=none)

    def sketch(self, *tables: Tables) -> Tensor:
        """Count sketches; those of a matrix row by row, as for an outer product."""
        if len(self.shape) != 3:
            both = zip(tables, self.parts, strict=True)
            return waves([(table.rows, part) for table, part in both])
        rows, columns = tables[0]
        places = torch.arange(self.shape[1], device=self.gradient.device)
        return (rows.waves_at(places) * waves([(columns, self.gradient.view(self.shape))])).sum(1)
