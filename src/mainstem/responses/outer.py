"""Sums of outer products: the gradient of a matrix that multiplies tokens.

Shapes: B samples, T tokens, a matrix of shape (P, D).

Sources:
    T = 1: Goodfellow, Efficient Per-Example Gradient Computations, 2015, arXiv:1510.01799.
    The Gram route: Li, Tramer, Liang, Hashimoto, Large Language Models Can Be Strong
    Differentially Private Learners, ICLR 2022, section 4, arXiv:2110.05679.
    Which route by layer: Bu, Wang, Zha, Karypis, Differentially Private Optimization on Large
    Model at Small Cost, ICML 2023, section 3, arXiv:2210.00038.
"""

from collections.abc import Sequence
from functools import cached_property

import torch
from torch import Tensor

from mainstem.responses.gram import RoundingCheck, bounded, gram
from mainstem.responses.live import Live, is_same
from mainstem.responses.products import (
    added_in,
    is_for_matrix_units,
    product,
    products,
    sum_of_products,
)
from mainstem.responses.sketch import Tables, waves

__all__ = ["Outer", "is_gram_cheaper"]


class Outer:
    """sum_t left_t right_t^T: the gradient of a matrix that multiplies tokens.

    Layers that read one input (queries, keys and values) are treated as one matrix with the rows
    of all of them: quantities of their left sides are summed before they meet the right side.

    Args:
        left: left side of each token, shape (B, T, P), float32; a sequence of these for several
            parameters. On a GPU both sides may be bfloat16.
        right: right side of each token, shape (B, T, D), of the same type.
        live: the tokens that may have a nonzero left and right side; None: all may.
        bias: whether a trained bias is added to the output. It is one more column, which reads 1
            at each token, and costs almost nothing here.

    Attributes:
        sides: the left sides and the right side, with all tokens.
        live, bias: the arguments.

    Example:
        >>> one = Outer(torch.tensor([[[2.0]]]), torch.tensor([[[3.0, 4.0]]]))
        >>> one.squared(RoundingCheck())  # 2^2 (3^2 + 4^2)
        tensor([100.])
        >>> one.dot(torch.tensor([[1.0, 0.0]]))  # 2 x 3
        tensor([6.])
    """

    def __init__(
        self,
        left: Tensor | Sequence[Tensor],
        right: Tensor,
        live: Live | None = None,
        *,
        bias: bool = False,
    ) -> None:
        self.sides = [left] if isinstance(left, Tensor) else list(left), right
        self.live, self.bias = live, bias

    @cached_property
    def lefts(self) -> list[Tensor]:
        """Left sides, trimmed to the tokens that `Live.first` names, shape (B, L, P) each."""
        lefts, _ = self.sides
        return lefts if self.live is None else [self.live.trimmed(left) for left in lefts]

    @cached_property
    def right(self) -> Tensor:
        """The right side, trimmed in the same way, shape (B, L, D)."""
        _, right = self.sides
        return right if self.live is None else self.live.trimmed(right)

    def join(self, other: "Outer") -> "Outer | None":
        """Both as one, if they have the same right side; else None."""
        (lefts, right), (other_lefts, other_right) = self.sides, other.sides
        is_alike = self.live is other.live and self.bias == other.bias
        if not is_alike or not is_same(right, other_right):
            return None
        return Outer([*lefts, *other_lefts], right, self.live, bias=self.bias)

    def squared(self, check: RoundingCheck) -> Tensor:
        """Squared norm by the cheaper of two routes, shape (B,).

        The Gram route takes sum_t sum_s (left_t . left_s)(right_t . right_s); the other one forms
        the gradient.
        """
        tokens, d = self.right.shape[1:]
        p = sum(left.shape[2] for left in self.lefts)
        if tokens == 1:
            of_left = torch.stack([_squares(left) for left in self.lefts]).sum(0)
            return of_left * (_squares(self.right) + self.bias)
        if not is_gram_cheaper(tokens, p, d):
            return self._directly()
        of_left, of_right = gram(*self.lefts), gram(self.right)
        products = of_left.addcmul(of_left, of_right) if self.bias else of_left.mul_(of_right)
        # subtle: where tokens cancel, rounding may leave less than 0
        squared = products.sum((1, 2)).clamp_min_(0)
        return check.checked(squared, products, self._directly)

    def _directly(self, which: Tensor | None = None) -> Tensor:
        """Squared norms of some samples, or of all, from gradients formed a few at a time."""
        lefts, right = self.lefts, self.right
        if which is not None:
            lefts, right = [one[which] for one in lefts], right[which]
        squared = right.new_zeros(len(right), dtype=added_in(right))
        for left in lefts:
            floats = left.shape[2] * right.shape[2]
            parts = bounded(left, right, floats_a_sample=floats)
            squared += torch.cat(  # (b, P, D) -> (b,)
                [_squares(products(one.transpose(1, 2), other)) for one, other in parts]
            )
            if self.bias:
                squared += left.sum(1, dtype=added_in(left)).square().sum(1)
        return squared

    def dot(self, *directions: Tensor | None) -> Tensor:
        """sum_t left_t^T (V right_t + v), shape (B,).

        It is one product of matrices, from the side that gives the narrower result.

        Args:
            directions: V of each parameter, shape (P, D). With a bias, V and v of each parameter
                in turn, v of shape (P,). None means 0.
        """
        lefts, right = self._rows()
        of_weights = directions[::2] if self.bias else directions
        of_biases = directions[1::2] if self.bias else (None,) * len(lefts)
        if len(lefts) == 1 and lefts[0].shape[1] <= right.shape[1] and of_weights[0] is not None:
            of_weight, of_bias = of_weights[0].T, of_biases[0]
            if of_bias is None or is_for_matrix_units(right):
                narrow = product(right, of_weight)  # (R, D) (D, P) -> (R, P)
            else:
                narrow, of_biases = torch.addmm(of_bias, right, of_weight), (None,)
            dots = narrow.mul_(lefts[0]).sum(1)  # (R,)
        else:
            weighted = zip(lefts, of_weights, strict=True)
            pairs = [(left, one) for left, one in weighted if one is not None]
            # (R, P) (P, D) -> (R, D)
            along = sum_of_products(pairs).mul_(right) if pairs else right.new_zeros(len(right), 1)
            dots = along.sum(1, dtype=added_in(right))
        for left, of_bias in zip(lefts, of_biases, strict=True):
            if of_bias is not None and is_for_matrix_units(left):
                dots += product(left, of_bias.unsqueeze(1)).squeeze(1)
            elif of_bias is not None:
                dots.addmv_(left, of_bias)
        return self._by_sample(dots)

    def sketch(self, *tables: Tables) -> Tensor:
        """Sketch in the frequency domain, summed over tokens, shape (B, k / 2 + 1), complex.

        The sketches of left and right are multiplied frequency by frequency, which convolves them.
        """
        lefts, right = self._rows()
        of_weights = tables[::2] if self.bias else tables
        sides = [(table.rows, left) for table, left in zip(of_weights, lefts, strict=True)]
        of_left = waves(sides)  # (R, k / 2 + 1)
        of_right = waves([(tables[0].columns, right)])
        if self.bias:
            of_right += 1  # the column that reads 1 is in the first bucket
        parts = self._by_sample(torch.view_as_real(of_left.mul_(of_right)))  # (B, k / 2 + 1, 2)
        return torch.view_as_complex(parts)

    def _rows(self) -> tuple[list[Tensor], Tensor]:
        """The live tokens of all samples in matrices, (R, P) each and (R, D)."""
        lefts, right = self.sides
        if self.live is None:
            return [left.flatten(0, 1) for left in lefts], right.flatten(0, 1)
        return [self.live.rows(left) for left in lefts], self.live.rows(right)

    def _by_sample(self, values: Tensor) -> Tensor:
        """Sums over the rows of each sample: (R, ...) -> (B, ...)."""
        _, right = self.sides
        if self.live is None:
            return values.view(len(right), -1, *values.shape[1:]).sum(1)
        summed = values.new_zeros(len(right), *values.shape[1:])
        return summed.index_add_(0, self.live.sample, values)


def _squares(x: Tensor) -> Tensor:
    """(B, ...) -> (B,)."""
    return x.to(added_in(x)).square().flatten(1).sum(1)


def is_gram_cheaper(tokens: int, p: int, d: int) -> bool:
    """Whether T^2 (P + D) products are at most T P D.

    Example:
        >>> is_gram_cheaper(384, 768, 768), is_gram_cheaper(385, 768, 768)
        (True, False)
    """
    return tokens * (p + d) <= p * d
