"""Gradients that are there as they are: what scales, shifts and biases get."""

from functools import cached_property

import torch
from torch import Tensor

from mainstem.responses.gram import RoundingCheck
from mainstem.responses.sketch import Tables, waves

__all__ = ["Vector"]


class Vector:
    """A gradient that is there as it is: of scales, shifts, biases, or of a layer without a formula.

    Args:
        gradient: shape (B, ...), float32.

    Attributes:
        parts: of each parameter, flat, shape (B, n).
        shape: as given, of the first.
    """

    def __init__(self, gradient: Tensor) -> None:
        self.parts, self.shape = [gradient.flatten(1)], gradient.shape

    @cached_property
    def gradient(self) -> Tensor:
        """Gradients of all parameters side by side, shape (B, N)."""
        return torch.cat(self.parts, 1) if len(self.parts) > 1 else self.parts[0]

    def join(self, other: "Vector") -> "Vector | None":
        """Both as one; matrices, which are large, are not held."""
        if len(self.shape) != 2 or len(other.shape) != 2:
            return None
        both = Vector(self.parts[0])
        both.parts = [*self.parts, *other.parts]
        return both

    def squared(self, check: RoundingCheck) -> Tensor:  # noqa: ARG002
        """Its squares."""
        return self.gradient.square().sum(1)

    def dot(self, *directions: Tensor | None) -> Tensor:
        """Its products."""
        pairs = [
            (part, one.flatten())
            for part, one in zip(self.parts, directions, strict=True)
            if one is not None
        ]
        if len(pairs) == len(self.parts):
            return self.gradient @ torch.cat([one for _, one in pairs])
        return sum(
            (part @ one for part, one in pairs), start=self.parts[0].new_zeros(len(self.parts[0]))
        )

    def sketch(self, *tables: Tables) -> Tensor:
        """Count sketches; of a matrix row by row, as of what is multiplied with it."""
        if len(self.shape) != 3:
            return waves(
                [(table.rows, part) for table, part in zip(tables, self.parts, strict=True)]
            )
        rows, columns = tables[0]
        places = torch.arange(self.shape[1], device=self.gradient.device)
        return (rows.waves_at(places) * waves([(columns, self.gradient.view(self.shape))])).sum(1)
