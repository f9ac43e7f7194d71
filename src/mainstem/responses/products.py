"""Products of matrices that add up in float32, whatever type their factors have.

A pass in bfloat16 leaves factors in bfloat16, and the matrix units of a GPU multiply those over
ten times as fast as float32. The product of two such factors is exact in float32, and sums are
kept in float32: nothing is lost beyond what the pass itself lost. On a CPU the factors are
converted to float32 beforehand.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["added_in", "is_for_matrix_units", "product", "products", "sum_of_products"]


def is_for_matrix_units(x: Tensor) -> bool:
    """Whether a factor keeps its type instead of being converted to float32."""
    return x.is_cuda and x.dtype == torch.bfloat16


def added_in(x: Tensor) -> torch.dtype:
    """The type to sum values of a tensor in: its own type, or float32 if that is wider.

    Example:
        >>> added_in(torch.zeros(1, dtype=torch.bfloat16))
        torch.float32
        >>> added_in(torch.zeros(1, dtype=torch.float64))
        torch.float64
    """
    return torch.promote_types(x.dtype, torch.float32)


def product(left: Tensor, right: Tensor) -> Tensor:
    """A product in float32: (R, D) (D, P) -> (R, P); the right factor takes the left one's type.

    Example:
        >>> product(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0], [4.0]]))
        tensor([[11.]])
    """
    if is_for_matrix_units(left):
        return torch.mm(left, right.to(left.dtype), out_dtype=torch.float32)
    return left @ right


def products(left: Tensor, right: Tensor) -> Tensor:
    """A product for each sample, in float32: (B, M, N) (B, N, K) -> (B, M, K)."""
    if is_for_matrix_units(left):
        return torch.bmm(left, right, out_dtype=torch.float32)
    return torch.bmm(left, right)


def sum_of_products(pairs: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
    """The sum of several products, in float32: (R, D_j) (D_j, P) each -> (R, P).

    Example:
        >>> one = torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0], [4.0]])
        >>> sum_of_products([one, one])
        tensor([[22.]])
    """
    if is_for_matrix_units(pairs[0][0]):
        lefts = torch.cat([one for one, _ in pairs], 1)
        return product(lefts, torch.cat([other for _, other in pairs]))
    (left, right), *others = pairs
    found = left @ right
    for left, right in others:
        found.addmm_(left, right)
    return found
