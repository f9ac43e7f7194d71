"""Tokens that nothing came back to have no part in any gradient: on a CPU they are left out of every product.

Padding is such, and in the last block of a model that reads its answer off the first token all others are. Finding them
needs a look at the numbers, for which a GPU would have to be waited for: there all tokens are taken.
"""

from functools import cached_property

import torch
from torch import Tensor

__all__ = ["Live", "LiveTokens", "is_same"]

_WORTH = 0.9  # of more live tokens than this nothing is left out: copying would cost what is saved


class Live:
    """Which tokens are live.

    Args:
        mask: shape (B, T), bool.

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
        """Where they are among B T tokens, shape (R,)."""
        return self.mask.flatten().nonzero().squeeze(1)

    @cached_property
    def _others(self) -> Tensor:
        return (~self.mask).flatten().nonzero().squeeze(1)

    @cached_property
    def _row(self) -> Tensor:
        """Which of R rows each of B T tokens is; R for the others, shape (B T,)."""
        rows = torch.full((self.mask.numel(),), len(self.places), device=self.mask.device)
        return rows.index_copy_(
            0, self.places, torch.arange(len(self.places), device=self.mask.device)
        )

    @cached_property
    def sample(self) -> Tensor:
        """Which sample each is of, shape (R,)."""
        return self.places // self.mask.shape[1]

    @cached_property
    def first(self) -> Tensor | None:
        """Addresses of as many tokens of each sample as the one with the most has, live ones first, shape (B, L).

        None where that is nearly all.
        """
        most = max(int(self.mask.sum(1).max()), 1)
        if most > _WORTH * self.mask.shape[1]:
            return None
        return self.mask.int().argsort(dim=1, descending=True, stable=True)[:, :most]

    def has_others(self, x: Tensor) -> bool:
        """Whether a token of (B, T, n) that is not live here holds anything; what squares to 0 in float32 is nothing."""
        others = x.flatten(0, 1).index_select(0, self._others).flatten()
        return bool(torch.dot(others, others) != 0)  # subtle: NaN is no 0

    def rows(self, x: Tensor) -> Tensor:
        """The live tokens of all samples, one under the other: (B, T, n) -> (R, n), kept until `forget`."""
        for known, rows in self._kept:
            if is_same(known, x):
                return rows
        rows = x.flatten(0, 1).index_select(0, self.places)
        self._kept.append((x, rows))  # subtle: holding `x` keeps its address from being used again
        return rows

    def forget(self) -> None:
        """Let the rows go that are kept."""
        self._kept.clear()

    def product(self, x: Tensor, matrix: Tensor) -> Tensor:
        """The live tokens times a matrix, and 0 for the others: (B, T, n) (n, m) -> (B, T, m)."""
        rows = self.rows(x)
        found = rows.new_empty(len(rows) + 1, matrix.shape[1])
        torch.mm(rows, matrix, out=found[:-1])
        found[-1] = 0
        return found.index_select(0, self._row).view(*self.mask.shape, matrix.shape[1])

    def trimmed(self, x: Tensor) -> Tensor:
        """(B, T, n) -> (B, L, n), by `first`."""
        if self.first is None:
            return x
        return x.gather(1, self.first.unsqueeze(2).expand(-1, -1, x.shape[2]))


class LiveTokens:
    """Finds the live tokens of one backward pass; layers share one `Live` as long as nothing comes back to other tokens."""

    def __init__(self) -> None:
        self._last: Live | None = None

    def forget(self) -> None:
        """Begin another backward pass."""
        self._last = None

    def of(self, came_back: Tensor) -> Live | None:
        """Tokens that something came back to, of (B, T, P), and maybe others; None where it is not worth knowing.

        What squares to nothing in float32 adds nothing to a norm in float32.
        """
        if came_back.is_cuda or came_back.dim() != 3:
            return None
        last = self._last
        if last is None or last.mask.shape != came_back.shape[:2] or last.has_others(came_back):
            mask = torch.linalg.vector_norm(came_back, dim=2) != 0  # subtle: NaN is no 0
            self._last = last = Live(mask) if mask.sum() <= _WORTH * mask.numel() else None
        return last


def is_same(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors that are both held are one: the same numbers in the same places."""
    return one is other or (
        one.data_ptr() == other.data_ptr()
        and one.shape == other.shape
        and one.stride() == other.stride()
    )
