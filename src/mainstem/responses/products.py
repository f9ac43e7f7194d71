"""Products of matrices that add up in float32, whatever type their factors are of.

A pass in bfloat16 leaves factors in bfloat16, and a GPU multiplies those on its matrix units, over
ten times as fast as in float32. What two of them give is exact there, and sums are kept in float32:
nothing is lost but what the pass itself had lost. A CPU has them in float32 beforehand.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["added_in", "is_for_matrix_units", "product", "products", "sum_of_products"]


def is_for_matrix_units(x: Tensor) -> bool:
    """Whether a factor stays as it is, instead of being brought to float32."""
    return x.is_cuda and x.dtype == torch.bfloat16


def added_in(x: Tensor) -> torch.dtype:
    """The type that sums of these are kept in: their own, but float32 where that is shorter.

    Example:
        >>> added_in(torch.zeros(1, dtype=torch.bfloat16)), added_in(torch.zeros(1, dtype=torch.float64))
        (torch.float32, torch.float64)
    """
    return torch.promote_types(x.dtype, torch.float32)


def product(left: Tensor, right: Tensor) -> Tensor:
    """A product in float32: (R, D) (D, P) -> (R, P); the right factor is brought to the left one's type.

    Example:
        >>> product(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0], [4.0]]))
        tensor([[11.]])
    """
    if is_for_matrix_units(left):
        return torch.mm(left, right.to(left.dtype), out_dtype=torch.float32)
    return left @ right


def products(left: Tensor, right: Tensor) -> Tensor:
    """The same for each sample: (B, M, N) (B, N, K) -> (B, M, K)."""
    if is_for_matrix_units(left):
        return torch.bmm(left, right, out_dtype=torch.float32)
    return torch.bmm(left, right)


def sum_of_products(pairs: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
    """Several products added up: (R, D_j) (D_j, P) each -> (R, P).

    Example:
        >>> one = torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0], [4.0]])
        >>> sum_of_products([one, one])
        tensor([[22.]])
    """
    if is_for_matrix_units(pairs[0][0]):
        return product(
            torch.cat([one for one, _ in pairs], 1), torch.cat([other for _, other in pairs])
        )
    (left, right), *others = pairs
    found = left @ right
    for left, right in others:
        found.addmm_(left, right)
    return found
