"""Gram products, and squared norms taken from them that rounding has not spoilt."""

from collections.abc import Callable, Iterator
from typing import Final

from torch import Tensor

from mainstem.responses.products import is_for_matrix_units, products

__all__ = ["RoundingCheck", "bounded", "gram"]

_FLOATS: Final = 1 << 24  # 64 MiB: what a formed gradient may take
_EPSILON: Final = 6e-8  # half of float32's last place
_TOLERANCE: Final = 1e-6  # share of the squared norm that rounding may move


def gram(*parts: Tensor) -> Tensor:
    """Inner products between a sample's tokens, of vectors in one part or several: (B, T, D) each -> (B, T, T).

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
    """Both, so many samples at a time that what is formed of them stays small."""
    samples = max(_FLOATS // floats_a_sample, 1)
    for start in range(0, len(left), samples):
        yield left[start : start + samples], right[start : start + samples]


class RoundingCheck:
    """Finds squared norms by the Gram route that cancel so far that rounding would show, and has them taken directly.

    Args:
        squared: squared norms summed so far, shape (B,); what rounding is held against. None: nothing yet.
    """

    def __init__(self, squared: Tensor | None = None) -> None:
        self._squared = squared

    def checked(
        self, squared: Tensor, products: Tensor, directly: Callable[[Tensor], Tensor]
    ) -> Tensor:
        """Squared norms; again directly where rounding would show.

        The sum of T^2 products is off by up to epsilon times T times the sum of those on the diagonal. On a GPU nobody
        looks, for it would have to be waited for.

        Args:
            squared: shape (B,), sums of `products`.
            products: shape (B, T, T).
            directly: squared norms of samples, by their places.
        """
        if squared.is_cuda:
            return squared
        uncancelled = products.diagonal(dim1=1, dim2=2).sum(1)
        if not products.shape[1]:  # samples without tokens
            return squared
        most = _TOLERANCE / (_EPSILON * products.shape[1])  # times the whole that they may be
        whole = squared if self._squared is None else squared + self._squared
        cancelled = (uncancelled > most * whole).nonzero().squeeze(1)
        if len(cancelled):
            squared[cancelled] = directly(cancelled)
        return squared
