"""Products that several layers need, computed once: queries, keys and values read the same input."""

from collections.abc import Callable, Iterator
from typing import Final

import torch
from torch import Tensor

from mainstem.responses.sketch import CountSketch

__all__ = ["Shared", "bounded", "gram"]

_FLOATS: Final = 1 << 24  # 64 MiB: what a formed gradient may take
_EPSILON: Final = 6e-8  # half of float32's last place
_TOLERANCE: Final = 1e-6  # share of the squared norm that rounding may move


def gram(x: Tensor) -> Tensor:
    """Inner products between a sample's tokens, (B, T, D) -> (B, T, T)."""
    return torch.bmm(x, x.transpose(1, 2))


def bounded(left: Tensor, right: Tensor, *, floats_a_sample: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Both, so many samples at a time that what is formed of them stays small."""
    samples = max(_FLOATS // floats_a_sample, 1)
    for start in range(0, len(left), samples):
        yield left[start : start + samples], right[start : start + samples]


class Shared:
    """The last products of one backward pass.

    Args:
        squared: squared norms summed so far, shape (B,); what rounding is held against. None: nothing yet.

    Attributes:
        keep: whether the layer at hand reads what others read too; else nothing is kept, for it would take up memory.
    """

    def __init__(self, squared: Tensor | None = None) -> None:
        self.keep = True
        self._squared = squared
        self._gram: tuple[Tensor, Tensor] | None = None
        self._waves: tuple[Tensor, CountSketch, Tensor] | None = None

    def gram(self, x: Tensor) -> Tensor:
        """`gram(x)`, kept for the next layer that reads the very same tensor."""
        if self._gram is None or not _is(self._gram[0], x):
            found = (x, gram(x))  # subtle: holding `x` keeps its address from being used again
            self._gram = found if self.keep else None
            return found[1]
        return self._gram[1]

    def waves(self, x: Tensor, sketch: CountSketch) -> Tensor:
        """`sketch.waves(x)`, kept likewise."""
        if self._waves is None or not _is(self._waves[0], x) or self._waves[1] is not sketch:
            found = (x, sketch, sketch.waves(x))
            self._waves = found if self.keep else None
            return found[2]
        return self._waves[2]

    def checked(self, squared: Tensor, products: Tensor, directly: Callable[[Tensor], Tensor]) -> Tensor:
        """Squared norms by the Gram route; again directly where tokens cancel so far that rounding would show.

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
        most = _TOLERANCE / (_EPSILON * products.shape[1])  # times the whole that they may be
        whole = squared if self._squared is None else squared + self._squared
        cancelled = (uncancelled > most * whole).nonzero().squeeze(1)
        if len(cancelled):
            squared[cancelled] = directly(cancelled)
        return squared


def _is(one: Tensor, other: Tensor) -> bool:
    return one.data_ptr() == other.data_ptr() and one.shape == other.shape and one.stride() == other.stride()
