"""What one pass through a layer contributes to the gradient of one of its parameters, for each sample.

Three shapes cover all layers: a sum of outer products (`outer`: a matrix that tokens are multiplied with), a sum over rows
that are looked up (`lookup`: an embedding), and a vector (`vector`: scales, shifts, biases). Each knows its squared norm,
its dot with a direction and its sketch, none of which needs the gradient itself. B samples, T tokens; a parameter of shape
(P, D).
"""

from collections.abc import Sequence
from typing import Any, Protocol, Self

import torch
from torch import Tensor

from mainstem.responses.gram import RoundingCheck
from mainstem.responses.lookup import Lookup
from mainstem.responses.outer import Outer
from mainstem.responses.sketch import Tables
from mainstem.responses.vector import Vector

__all__ = ["Contribution", "cross", "merge"]


class Contribution(Protocol):
    """A share of d loss_i / d parameter for each of B samples; of several parameters, once contributions are joined."""

    def join(self, other: Any) -> Self | None:
        """Both as one, this one's parameters first; None where nothing would be saved."""

    def squared(self, check: RoundingCheck) -> Tensor:
        """Squared norm, shape (B,), >= 0."""

    def dot(self, *directions: Tensor | None) -> Tensor:
        """Dot with a direction, given by parameter and of its shape (None: 0), shape (B,)."""

    def sketch(self, *tables: Tables) -> Tensor:
        """Sketch in the frequency domain by the tables of each parameter, shape (B, k / 2 + 1), complex."""


def cross(one: Contribution, other: Contribution) -> Tensor:
    """Dot of two contributions to the same parameter, sample by sample, shape (B,): where a weight is used twice.

    Raises:
        TypeError: if one is a vector and the other is not.

    Example:
        >>> looked_up = Lookup(torch.tensor([[1]]), torch.tensor([[[3.0, 4.0]]]))
        >>> multiplied = Outer(torch.tensor([[[0.0, 2.0]]]), torch.tensor([[[1.0, 1.0]]]))
        >>> cross(looked_up, multiplied)  # row 1 of the second is (2, 2)
        tensor([14.])
    """
    match one, other:
        case Vector(), Vector():
            return (one.gradient * other.gradient).sum(1)
        case Outer(lefts=[left]), Outer(lefts=[other_left]):
            left = torch.bmm(left, other_left.transpose(1, 2))  # (B, T, S)
            return left.mul_(torch.bmm(one.right, other.right.transpose(1, 2))).sum((1, 2))
        case Lookup(), Lookup():
            same_row = one.ids.unsqueeze(2) == other.ids.unsqueeze(1)  # (B, T, S)
            return (torch.bmm(one.values, other.values.transpose(1, 2)) * same_row).sum((1, 2))
        case Outer(), Lookup():
            return cross(other, one)
        case Lookup(), Outer(lefts=[left]):
            at_ids = left.gather(
                2, one.ids.unsqueeze(1).expand(-1, left.shape[1], -1)
            )  # (B, S, T): left_s[id_t]
            return at_ids.mul_(torch.bmm(other.right, one.values.transpose(1, 2))).sum((1, 2))
        case _:
            msg = f"a {type(one).__name__} and a {type(other).__name__} cannot be of one parameter"
            raise TypeError(msg)


def merge(several: Sequence[Contribution]) -> list[Contribution]:
    """Contributions to one parameter, those of a kind made one: all their tokens in a row, or their sum.

    Example:
        >>> [one] = merge([Vector(torch.tensor([[3.0]])), Vector(torch.tensor([[-3.0]]))])
        >>> one.squared(RoundingCheck())
        tensor([0.])
    """
    outer = [one for one in several if isinstance(one, Outer)]
    lookup = [one for one in several if isinstance(one, Lookup)]
    vector = [one for one in several if isinstance(one, Vector)]
    merged: list[Contribution] = []
    if outer:
        merged.append(
            Outer(
                torch.cat([one.lefts[0] for one in outer], 1),
                torch.cat([one.right for one in outer], 1),
            )
        )
    if lookup:
        merged.append(
            Lookup(
                torch.cat([one.ids for one in lookup], 1),
                torch.cat([one.values for one in lookup], 1),
            )
        )
    if vector:
        merged.append(Vector(torch.stack([one.gradient for one in vector]).sum(0)))
    return merged
