"""What one pass through a layer adds to the gradient of one parameter, for each sample.

Three shapes cover all layers: a sum of outer products (`outer`: a matrix that multiplies tokens),
a sum over rows that are looked up (`lookup`: an embedding), and a plain vector (`vector`: scales,
shifts, biases). Each computes its squared norm, its dot with a direction and its sketch without
forming the gradient itself. Shapes: B samples, T tokens, a parameter of shape (P, D).
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
    """A share of d loss_i / d parameter for each of B samples.

    A joined contribution holds the shares of several parameters.
    """

    def join(self, other: Any) -> Self | None:
        """Both as one contribution, this one's parameters first; None where that saves no work."""

    def squared(self, check: RoundingCheck) -> Tensor:
        """Squared norm for each sample, shape (B,), >= 0."""

    def dot(self, *directions: Tensor | None) -> Tensor:
        """Dot with a direction for each sample, shape (B,).

        The direction is given as one tensor for each parameter, of its shape; None means 0.
        """

    def sketch(self, *tables: Tables) -> Tensor:
        """Sketch in the frequency domain, shape (B, k / 2 + 1), complex.

        It takes the tables of each parameter.
        """


def cross(one: Contribution, other: Contribution) -> Tensor:
    """Dot of two contributions to the same parameter for each sample, shape (B,).

    It is needed where a model uses a weight twice.

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
            places = one.ids.unsqueeze(1).expand(-1, left.shape[1], -1)
            at_ids = left.gather(2, places)  # (B, S, T): left_s[id_t]
            return at_ids.mul_(torch.bmm(other.right, one.values.transpose(1, 2))).sum((1, 2))
        case _:
            msg = f"a {type(one).__name__} and a {type(other).__name__} cannot be of one parameter"
            raise TypeError(msg)


def merge(several: Sequence[Contribution]) -> list[Contribution]:
    """Merge contributions to one parameter, so that at most one of each kind is left.

    Tokens of outer products and of lookups are put side by side; vectors are added up.

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
        lefts = torch.cat([one.lefts[0] for one in outer], 1)
        merged.append(Outer(lefts, torch.cat([one.right for one in outer], 1)))
    if lookup:
        ids = torch.cat([one.ids for one in lookup], 1)
        merged.append(Lookup(ids, torch.cat([one.values for one in lookup], 1)))
    if vector:
        merged.append(Vector(torch.stack([one.gradient for one in vector]).sum(0)))
    return merged
