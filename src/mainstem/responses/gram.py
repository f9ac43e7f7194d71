"""Gram products, and squared norms computed from them that rounding has not spoilt."""

from collections.abc import Callable, Iterator
from typing import Final

from torch import Tensor

from mainstem.responses.products import is_for_matrix_units, products

__all__ = ["RoundingCheck", "bounded", "gram"]

_FLOATS: Final = 1 << 24  # 64 MiB: the most that gradients may take when they are formed
_EPSILON: Final = 6e-8  # half of float32's last place
_TOLERANCE: Final = 1e-6  # the share of the squared norm that rounding may change


def gram(*parts: Tensor) -> Tensor:
    """Inner products between the tokens of each sample: (B, T, D) -> (B, T, T).

    The vectors may be given in several parts, which are taken as one long vector.

    Example:
        >>> import torch
        >>> x = torch.tensor([[[1.0, 2.0], [3.0, 4.0]]])
        >>> torch.equal(gram(x), gram(x[:, :, :1], x[:, :, 1:]))
        True
    """
    first, *others = parts
    found = products(first, first.transpose(1, 2))
    for other in others:
        if is_for_matrix_units(other):
            found += products(other, other.transpose(1, 2))
        else:
            found.baddbmm_(other, other.transpose(1, 2))
    return found


def bounded(
    left: Tensor, right: Tensor, *, floats_a_sample: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Slices of both tensors, of as many samples as keep the formed gradients small.

    Args:
        left: any tensor with the batch first.
        right: another one of as many samples.
        floats_a_sample: floats that the gradient of one sample takes.
    """
    samples = max(_FLOATS // floats_a_sample, 1)
    for start in range(0, len(left), samples):
        yield left[start : start + samples], right[start : start + samples]


class RoundingCheck:
    """Takes squared norms directly where the Gram route cancels so far that rounding would show.

    Args:
        squared: squared norms that are summed so far, shape (B,). Rounding errors are compared
            with the whole sum. None: there is no sum yet.
    """

    def __init__(self, squared: Tensor | None = None) -> None:
        self._squared = squared

    def checked(
        self, squared: Tensor, products: Tensor, directly: Callable[[Tensor], Tensor]
    ) -> Tensor:
        """Squared norms by the Gram route, and directly where rounding would show.

        The sum of T^2 products is off by up to epsilon times T times the sum of the diagonal.
        On a GPU nothing is checked, because the check would have to wait for the device.

        Args:
            squared: sums of `products` for each sample, shape (B,); changed in place.
            products: products of left and right inner products, shape (B, T, T).
            directly: computes the squared norms of the samples at some indices directly.
        """
        if squared.is_cuda:
            return squared
        uncancelled = products.diagonal(dim1=1, dim2=2).sum(1)
        if not products.shape[1]:  # samples without tokens
            return squared
        most = _TOLERANCE / (_EPSILON * products.shape[1])  # the diagonal's largest multiple
        whole = squared if self._squared is None else squared + self._squared
        cancelled = (uncancelled > most * whole).nonzero().squeeze(1)
        if len(cancelled):
            squared[cancelled] = directly(cancelled)
        return squared
