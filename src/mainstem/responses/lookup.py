"""Sums over rows that are looked up: the gradient of an embedding.

Shapes: B samples, T tokens, a matrix of shape (P, D).
"""

from copy import copy

import torch
import torch.nn.functional as F
from torch import Tensor

from mainstem.responses.gram import RoundingCheck, gram
from mainstem.responses.live import is_same
from mainstem.responses.sketch import Tables, waves

__all__ = ["Lookup"]


class Lookup:
    """sum_t e(id_t) value_t^T, a gradient at rows that were looked up; equal ids share a row.

    Embeddings whose outputs are added up get the same values. Joined, they are treated as one
    matrix with the rows of all of them.

    Args:
        ids: ids that were looked up, shape (B, T), int64, below P.
        values: gradient at each looked-up row, shape (B, T, D), float32.
        padding: id whose row has no gradient; None if there is no such id.

    Attributes:
        looked_up: for each parameter, its ids and a mask of those that are not padding (None: no
            id is padding).
        came_back: gradients at all rows, padding included.

    Example:
        >>> one = Lookup(torch.tensor([[5, 5, 7]]), torch.tensor([[[1.0], [2.0], [1.0]]]))
        >>> one.squared(RoundingCheck())  # (1 + 2)^2 + 1^2
        tensor([10.])
    """

    def __init__(self, ids: Tensor, values: Tensor, padding: int | None = None) -> None:
        known = None if padding is None else ids != padding
        self.looked_up, self.came_back = [(ids, known)], values

    @property
    def ids(self) -> Tensor:
        """Ids of the first parameter, shape (B, T)."""
        return self.looked_up[0][0]

    @property
    def values(self) -> Tensor:
        """Gradient at each id of the first parameter, 0 at padding, shape (B, T, D)."""
        _, known = self.looked_up[0]
        return self.came_back if known is None else self.came_back * known.unsqueeze(2)

    def join(self, other: "Lookup") -> "Lookup | None":
        """Both as one, if they have the same values; else None."""
        if not is_same(self.came_back, other.came_back):
            return None
        both = copy(self)
        both.looked_up = [*self.looked_up, *other.looked_up]
        return both

    def squared(self, check: RoundingCheck) -> Tensor:
        """sum_t sum_s [id_t = id_s] value_t . value_s, shape (B,)."""
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
                summed = values.new_zeros(len(rows), values.shape[1]).index_add_(0, row, values)
                squared[place] += summed.square().sum()
        return squared

    def dot(self, *directions: Tensor | None) -> Tensor:
        """sum_t value_t . V[id_t], shape (B,)."""
        dots = self.came_back.new_zeros(len(self.came_back))
        for (ids, known), direction in zip(self.looked_up, directions, strict=True):
            if direction is not None:
                along = F.embedding(ids, direction).mul_(self.came_back).sum(2)  # (B, T)
                dots += (along if known is None else along.mul_(known)).sum(1)
        return dots

    def sketch(self, *tables: Tables) -> Tensor:
        """The sketch of an outer product whose left side is 1 at the id and 0 elsewhere."""
        of_right = waves([(tables[0].columns, self.came_back)])  # (B, T, k / 2 + 1)
        of_left = torch.zeros_like(of_right)
        for (ids, known), table in zip(self.looked_up, tables, strict=True):
            at_ids = table.rows.waves_at(ids)
            of_left += at_ids if known is None else at_ids.mul_(known.unsqueeze(2))
        return of_left.mul_(of_right).sum(1)


def _same(ids: Tensor, known: Tensor | None) -> Tensor:
    """Where two tokens have the same id and it is not padding: (B, T) -> (B, T, T), bool."""
    same = ids.unsqueeze(1) == ids.unsqueeze(2)
    return same if known is None else same & known.unsqueeze(1)
