"""Sums over rows that are looked up: what an embedding gets. B samples, T tokens; a matrix of shape (P, D)."""

from copy import copy

import torch
import torch.nn.functional as F
from torch import Tensor

from mainstem.responses.gram import RoundingCheck, gram
from mainstem.responses.live import is_same
from mainstem.responses.sketch import Tables, waves

__all__ = ["Lookup"]


class Lookup:
    """sum_t e(id_t) value_t^T: rows of a matrix that were looked up; tokens of one id share a row.

    Embeddings that are added up get the same values, and are one matrix whose rows are those of all of them.

    Args:
        ids: shape (B, T), int64, below P.
        values: gradient at each of them, shape (B, T, D), float32.
        padding: id whose row has no gradient.

    Attributes:
        looked_up: of each parameter, ids, and which of them are no padding (None: all).
        came_back: the values, padding's among them.

    Example:
        >>> one = Lookup(torch.tensor([[5, 5, 7]]), torch.tensor([[[1.0], [2.0], [1.0]]]))
        >>> one.squared(RoundingCheck())  # (1 + 2)^2 + 1^2
        tensor([10.])
    """

    def __init__(self, ids: Tensor, values: Tensor, padding: int | None = None) -> None:
        self.looked_up, self.came_back = (
            [(ids, None if padding is None else ids != padding)],
            values,
        )

    @property
    def ids(self) -> Tensor:
        """Ids of the first parameter, shape (B, T)."""
        return self.looked_up[0][0]

    @property
    def values(self) -> Tensor:
        """Gradient at each of them, and nothing where it is padding, shape (B, T, D)."""
        _, known = self.looked_up[0]
        return self.came_back if known is None else self.came_back * known.unsqueeze(2)

    def join(self, other: "Lookup") -> "Lookup | None":
        """Both as one, if they have the same values."""
        if not is_same(self.came_back, other.came_back):
            return None
        both = copy(self)
        both.looked_up = [*self.looked_up, *other.looked_up]
        return both

    def squared(self, check: RoundingCheck) -> Tensor:
        """Sum over t and s of [id_t = id_s] value_t . value_s."""
        products = gram(self.came_back)  # (B, T, T)
        rows_shared = torch.zeros_like(products)
        for ids, known in self.looked_up:
            rows_shared += _same(ids, known)
        products *= rows_shared
        return check.checked(products.sum((1, 2)).clamp_min_(0), products, self._directly)

    def _directly(self, which: Tensor) -> Tensor:
        squared = self.came_back.new_zeros(len(which))
        for all_ids, known in self.looked_up:
            for place, sample in enumerate(which.tolist()):
                kept = slice(None) if known is None else known[sample]
                rows, row = torch.unique(all_ids[sample][kept], return_inverse=True)
                values = self.came_back[sample][kept]
                squared[place] += (
                    values.new_zeros(len(rows), values.shape[1])
                    .index_add_(0, row, values)
                    .square()
                    .sum()
                )
        return squared

    def dot(self, *directions: Tensor | None) -> Tensor:
        """Sum over t of value_t . V[id_t]."""
        dots = self.came_back.new_zeros(len(self.came_back))
        for (ids, known), direction in zip(self.looked_up, directions, strict=True):
            if direction is not None:
                along = F.embedding(ids, direction).mul_(self.came_back).sum(2)  # (B, T)
                dots += (along if known is None else along.mul_(known)).sum(1)
        return dots

    def sketch(self, *tables: Tables) -> Tensor:
        """As of an outer product whose left side is 1 at the id and 0 elsewhere."""
        of_right = waves([(tables[0].columns, self.came_back)])  # (B, T, k / 2 + 1)
        of_left = torch.zeros_like(of_right)
        for (ids, known), table in zip(self.looked_up, tables, strict=True):
            at_ids = table.rows.waves_at(ids)
            of_left += at_ids if known is None else at_ids.mul_(known.unsqueeze(2))
        return of_left.mul_(of_right).sum(1)


def _same(ids: Tensor, known: Tensor | None) -> Tensor:
    """Where two tokens of a sample have one id, and it is not padding: (B, T) -> (B, T, T), bool."""
    same = ids.unsqueeze(1) == ids.unsqueeze(2)
    return same if known is None else same & known.unsqueeze(1)
