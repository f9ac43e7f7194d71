"""What one pass through a layer contributes to the gradient of one of its parameters, for each sample.

Three shapes cover all layers: a sum of outer products (a matrix that tokens are multiplied with), a sum over rows that are
looked up (an embedding), and a vector (scales, shifts, biases). Each knows its squared norm, its dot with a direction and
its sketch, none of which needs the gradient itself. B samples, T tokens; a parameter of shape (P, D).

Sources: Goodfellow, Efficient Per-Example Gradient Computations, 2015, https://arxiv.org/abs/1510.01799 (T = 1);
Li, Tramer, Liang, Hashimoto, Large Language Models Can Be Strong Differentially Private Learners, ICLR 2022, section 4,
https://arxiv.org/abs/2110.05679 (the Gram route); Bu, Wang, Zha, Karypis, Differentially Private Optimization on Large Model
at Small Cost, ICML 2023, section 3, https://arxiv.org/abs/2210.00038 (which route, by layer).
"""

from collections.abc import Sequence
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from mainstem.responses.live import Live
from mainstem.responses.shared import Shared, bounded, gram
from mainstem.responses.sketch import Tables

__all__ = ["Contribution", "Lookup", "Outer", "Vector", "cross", "is_gram_cheaper", "merge"]


class Contribution(Protocol):
    """A share of d loss_i / d parameter for each of B samples."""

    def squared(self, shared: Shared) -> Tensor:
        """Squared norm, shape (B,), >= 0."""

    def dot(self, direction: Tensor) -> Tensor:
        """Dot with a direction of the parameter's shape, shape (B,)."""

    def sketch(self, tables: Tables, shared: Shared) -> Tensor:
        """Sketch in the frequency domain, shape (B, k / 2 + 1), complex."""


class Outer:
    """sum_t left_t right_t^T: a matrix that tokens are multiplied with.

    Args:
        left: shape (B, T, P), float32.
        right: shape (B, T, D), float32.
        live: the tokens where neither is zero, as far as is known; None: any may be.
        bias: whether a bias is trained too that is added to the output. It is one more column, which reads 1 at each token,
            and so costs next to nothing here.

    Example:
        >>> one = Outer(torch.tensor([[[2.0]]]), torch.tensor([[[3.0, 4.0]]]))
        >>> one.squared(Shared()), one.dot(torch.tensor([[1.0, 0.0]]))  # 2^2 (3^2 + 4^2), and 2 x 3
        (tensor([100.]), tensor([6.]))
    """

    def __init__(self, left: Tensor, right: Tensor, live: Live | None = None, *, bias: bool = False) -> None:
        self._live, self._all, self._bias = live, (left, right), bias
        self.left, self.right = (left, right) if live is None else (live.trimmed(left), live.trimmed(right))  # (B, L, ·)

    def squared(self, shared: Shared) -> Tensor:
        """By the Gram route, sum over t and s of (left_t . left_s)(right_t . right_s), or directly, whichever is cheaper."""
        tokens, p, d = self.left.shape[1], self.left.shape[2], self.right.shape[2]
        if tokens == 1:
            return self.left.square().sum((1, 2)) * (self.right.square().sum((1, 2)) + self._bias)
        if not is_gram_cheaper(tokens, p, d):
            return self._directly()
        of_left, of_right = gram(self.left), shared.gram(self.right)
        products = of_left.addcmul(of_left, of_right) if self._bias else of_left.mul_(of_right)  # (B, T, T)
        squared = products.sum((1, 2)).clamp_min_(0)  # subtle: where tokens cancel, rounding may leave less than nothing
        return shared.checked(squared, products, self._directly)

    def _directly(self, which: Tensor | None = None) -> Tensor:
        left, right = (self.left, self.right) if which is None else (self.left[which], self.right[which])
        squared = torch.cat(  # each gradient formed, a few samples at a time
            [
                torch.bmm(some_left.transpose(1, 2), some_right).square().sum((1, 2))  # (b, P, D) -> (b,)
                for some_left, some_right in bounded(left, right, floats_a_sample=left.shape[2] * right.shape[2])
            ]
        )
        return squared + left.sum(1).square().sum(1) if self._bias else squared

    def dot(self, direction: Tensor, of_bias: Tensor | None = None) -> Tensor:
        """sum_t left_t^T (V right_t + v): one product of matrices, from the side that leaves the narrower result.

        Args:
            direction: V, shape (P, D).
            of_bias: v, shape (P,); None: 0.
        """
        left, right = self._rows()
        if direction.shape[0] > direction.shape[1]:
            dots = (left @ direction).mul_(right).sum(1)  # (R, P) (P, D) -> (R, D) -> (R,)
            if of_bias is not None:
                dots = dots.addmv_(left, of_bias)
        else:
            along = right @ direction.T if of_bias is None else torch.addmm(of_bias, right, direction.T)
            dots = along.mul_(left).sum(1)  # (R, D) (D, P) -> (R, P) -> (R,)
        return self._by_sample(dots.unsqueeze(1)).squeeze(1)

    def sketch(self, tables: Tables, shared: Shared) -> Tensor:
        """Sketches of left and right multiplied frequency by frequency, which convolves them, and summed over tokens."""
        left, right = self._rows()
        of_right = shared.waves(right, tables.columns)
        if self._bias and tables.ones is not None:
            of_right = of_right + tables.ones
        waves = tables.rows.waves(left).mul_(of_right)  # (R, k / 2 + 1)
        parts = self._by_sample(torch.view_as_real(waves).flatten(1))  # (B, k + 2): real and imaginary parts in turn
        return torch.view_as_complex(parts.view(len(parts), -1, 2))

    def _rows(self) -> tuple[Tensor, Tensor]:
        """The tokens of all samples, one under the other, that something came back to: (R, P) and (R, D)."""
        left, right = self._all
        if self._live is None:
            return left.flatten(0, 1), right.flatten(0, 1)
        return self._live.rows(left), self._live.rows(right)

    def _by_sample(self, values: Tensor) -> Tensor:
        """Sums over each sample's rows: (R, n) -> (B, n)."""
        samples = len(self.left)
        if self._live is None:
            return values.view(samples, -1, values.shape[1]).sum(1)
        return values.new_zeros(samples, values.shape[1]).index_add_(0, self._live.sample, values)


class Lookup:
    """sum_t e(id_t) value_t^T: rows of a matrix that were looked up; tokens of one id share a row.

    Args:
        ids: shape (B, T), int64, below P.
        values: gradient at each of them, shape (B, T, D), float32.

    Example:
        >>> one = Lookup(torch.tensor([[5, 5, 7]]), torch.tensor([[[1.0], [2.0], [1.0]]]))
        >>> one.squared(Shared())  # (1 + 2)^2 + 1^2
        tensor([10.])
    """

    def __init__(self, ids: Tensor, values: Tensor) -> None:
        self.ids, self.values = ids, values

    def squared(self, shared: Shared) -> Tensor:
        """Sum over t and s of [id_t = id_s] value_t . value_s."""
        products = shared.gram(self.values) * (self.ids.unsqueeze(1) == self.ids.unsqueeze(2))  # (B, T, T)
        return shared.checked(products.sum((1, 2)).clamp_min_(0), products, self._directly)

    def _directly(self, which: Tensor) -> Tensor:
        squares = []
        for ids, values in zip(self.ids[which], self.values[which], strict=True):
            rows, row = ids.unique(return_inverse=True)
            squares.append(values.new_zeros(len(rows), values.shape[1]).index_add_(0, row, values).square().sum())
        return torch.stack(squares)

    def dot(self, direction: Tensor) -> Tensor:
        """Sum over t of value_t . V[id_t]."""
        return F.embedding(self.ids, direction).mul_(self.values).sum((1, 2))

    def sketch(self, tables: Tables, shared: Shared) -> Tensor:
        """As of an outer product whose left side is 1 at the id and 0 elsewhere."""
        return tables.rows.waves_at(self.ids).mul_(shared.waves(self.values, tables.columns)).sum(1)  # (B, T, k / 2 + 1)


class Vector:
    """A gradient that is there as it is: of scales, shifts, biases, or of a layer without a formula.

    Args:
        gradient: shape (B, ...), float32.
    """

    def __init__(self, gradient: Tensor) -> None:
        self.gradient = gradient.flatten(1)
        self._shape = gradient.shape

    def squared(self, shared: Shared) -> Tensor:  # noqa: ARG002
        """Its squares."""
        return self.gradient.square().sum(1)

    def dot(self, direction: Tensor) -> Tensor:
        """Its products."""
        return self.gradient @ direction.flatten()

    def sketch(self, tables: Tables, shared: Shared) -> Tensor:  # noqa: ARG002
        """A count sketch; of a matrix row by row, as of what is multiplied with it."""
        if len(self._shape) != 3:
            waves = tables.rows.waves(self.gradient)
            return waves if tables.ones is None else waves.mul_(tables.ones)
        rows = torch.arange(self._shape[1], device=self.gradient.device)
        return (tables.rows.waves_at(rows) * tables.columns.waves(self.gradient.view(self._shape))).sum(1)


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
        case Outer(), Outer():
            left = torch.bmm(one.left, other.left.transpose(1, 2))  # (B, T, S)
            return left.mul_(torch.bmm(one.right, other.right.transpose(1, 2))).sum((1, 2))
        case Lookup(), Lookup():
            same_row = one.ids.unsqueeze(2) == other.ids.unsqueeze(1)  # (B, T, S)
            return (torch.bmm(one.values, other.values.transpose(1, 2)) * same_row).sum((1, 2))
        case Outer(), Lookup():
            return cross(other, one)
        case Lookup(), Outer():
            at_ids = other.left.gather(
                2, one.ids.unsqueeze(1).expand(-1, other.left.shape[1], -1)
            )  # (B, S, T): left_s[id_t]
            return at_ids.mul_(torch.bmm(other.right, one.values.transpose(1, 2))).sum((1, 2))
        case _:
            msg = f"a {type(one).__name__} and a {type(other).__name__} cannot be of one parameter"
            raise TypeError(msg)


def merge(several: Sequence[Contribution]) -> list[Contribution]:
    """Contributions to one parameter, those of a kind made one: all their tokens in a row, or their sum.

    Example:
        >>> [one] = merge([Vector(torch.tensor([[3.0]])), Vector(torch.tensor([[-3.0]]))])
        >>> one.squared(Shared())
        tensor([0.])
    """
    outer = [one for one in several if isinstance(one, Outer)]
    lookup = [one for one in several if isinstance(one, Lookup)]
    vector = [one for one in several if isinstance(one, Vector)]
    merged: list[Contribution] = []
    if outer:
        merged.append(Outer(torch.cat([one.left for one in outer], 1), torch.cat([one.right for one in outer], 1)))
    if lookup:
        merged.append(Lookup(torch.cat([one.ids for one in lookup], 1), torch.cat([one.values for one in lookup], 1)))
    if vector:
        merged.append(Vector(torch.stack([one.gradient for one in vector]).sum(0)))
    return merged


def is_gram_cheaper(tokens: int, p: int, d: int) -> bool:
    """Whether T^2 (P + D) products are at most T P D.

    Example:
        >>> is_gram_cheaper(384, 768, 768), is_gram_cheaper(385, 768, 768)
        (True, False)
    """
    return tokens * (p + d) <= p * d
