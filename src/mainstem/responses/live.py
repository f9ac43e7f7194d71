"""Leaves tokens that no gradient reaches out of every product, on a CPU.

Padding is such a token. In the last block of a model that reads its answer off the first token, so
are all the others. To find them, the values must be read, and on a GPU that would mean to wait for
the device. So on a GPU all tokens are taken.
"""

from functools import cached_property

import torch
from torch import Tensor

__all__ = ["Live", "LiveTokens", "is_same"]

# above this share of live tokens nothing is left out: the copies would cost what the rest saves
_WORTH = 0.9


class Live:
    """Which tokens of a batch are live: those that a gradient reaches.

    Args:
        mask: true for each live token, shape (B, T), bool.

    Example:
        >>> live = Live(torch.tensor([[True, False], [True, True]]))
        >>> live.rows(torch.tensor([[[1.0], [0.0]], [[2.0], [3.0]]])).flatten(), live.sample
        (tensor([1., 2., 3.]), tensor([0, 1, 1]))
    """

    def __init__(self, mask: Tensor) -> None:
        self.mask = mask
        self._kept: list[tuple[Tensor, Tensor]] = []

    @cached_property
    def places(self) -> Tensor:
        """Indices of the live tokens among the B T tokens, shape (R,)."""
        return self.mask.flatten().nonzero().squeeze(1)

    @cached_property
    def _others(self) -> Tensor:
        return (~self.mask).flatten().nonzero().squeeze(1)

    @cached_property
    def _row(self) -> Tensor:
        """The index among R live tokens of each of the B T tokens; R for the others."""
        rows = torch.full((self.mask.numel(),), len(self.places), device=self.mask.device)
        counted = torch.arange(len(self.places), device=self.mask.device)
        return rows.index_copy_(0, self.places, counted)

    @cached_property
    def sample(self) -> Tensor:
        """Index of the sample that each live token belongs to, shape (R,)."""
        return self.places // self.mask.shape[1]

    @cached_property
    def first(self) -> Tensor | None:
        """For each sample the indices of L tokens, its live ones first, shape (B, L).

        L is the largest number of live tokens that a sample has. None where nearly all tokens
        would be taken.
        """
        most = max(int(self.mask.sum(1).max()), 1)
        if most > _WORTH * self.mask.shape[1]:
            return None
        return self.mask.int().argsort(dim=1, descending=True, stable=True)[:, :most]

    def has_others(self, x: Tensor) -> bool:
        """Whether any token of `x`, shape (B, T, n), that is not live here is other than 0.

        A value whose square is 0 in float32 counts as 0.
        """
        others = x.flatten(0, 1).index_select(0, self._others).flatten()
        return bool(torch.dot(others, others) != 0)  # subtle: NaN counts as other than 0

    def rows(self, x: Tensor) -> Tensor:
        """The live tokens of all samples in one matrix: (B, T, n) -> (R, n).

        The result is kept until `forget`.
        """
        for known, rows in self._kept:
            if is_same(known, x):
                return rows
        rows = x.flatten(0, 1).index_select(0, self.places)
        # subtle: a reference to `x` keeps its address from being used for another tensor
        self._kept.append((x, rows))
        return rows

    def forget(self) -> None:
        """Drop the kept rows."""
        self._kept.clear()

    def product(self, x: Tensor, matrix: Tensor) -> Tensor:
        """Multiply the live tokens by a matrix, and give 0 for the others.

        The shapes are (B, T, n) (n, m) -> (B, T, m).
        """
        rows = self.rows(x)
        found = rows.new_empty(len(rows) + 1, matrix.shape[1])
        torch.mm(rows, matrix, out=found[:-1])
        found[-1] = 0
        return found.index_select(0, self._row).view(*self.mask.shape, matrix.shape[1])

    def trimmed(self, x: Tensor) -> Tensor:
        """The tokens at the indices in `first`, live ones first: (B, T, n) -> (B, L, n)."""
        if self.first is None:
            return x
        return x.gather(1, self.first.unsqueeze(2).expand(-1, -1, x.shape[2]))


class LiveTokens:
    """Finds the live tokens of one backward pass.

    Layers share one `Live` as long as no gradient reaches a token outside of it.
    """

    def __init__(self) -> None:
        self._last: Live | None = None

    def forget(self) -> None:
        """Start another backward pass."""
        self._last = None

    def of(self, came_back: Tensor) -> Live | None:
        """The live tokens of a gradient, shape (B, T, P); None where to know them is not worth it.

        The result may hold tokens that this gradient does not reach. A value whose square is 0
        in float32 adds nothing to a norm in float32, and counts as 0.
        """
        if came_back.is_cuda or came_back.dim() != 3:
            return None
        last = self._last
        if last is None or last.mask.shape != came_back.shape[:2] or last.has_others(came_back):
            norms = torch.linalg.vector_norm(came_back, dim=2)
            mask = norms != 0  # subtle: NaN counts as other than 0
            self._last = last = Live(mask) if mask.sum() <= _WORTH * mask.numel() else None
        return last


def is_same(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors, both still referenced, share their memory and layout."""
    return one is other or (
        one.data_ptr() == other.data_ptr()
        and one.shape == other.shape
        and one.stride() == other.stride()
    )
