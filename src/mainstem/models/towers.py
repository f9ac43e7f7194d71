"""Towers beside the words: behaviour, piecewise linear, and the examination of a position."""

from collections.abc import Sequence
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["POSITIONS", "WIDTH", "BehaviourTower", "ExaminationTower"]

WIDTH: Final = 64
"""Numbers that a behaviour tower makes of the features."""
POSITIONS: Final = 50
"""Positions that an examination tower tells apart; the last one stands for all further ones."""
_EDGES: Final = (-2.0, 2.0, 8)  # from, to, how many


class BehaviourTower(nn.Module):
    """Reads features piecewise linearly: each one, and what of it exceeds each of 8 edges.

    Args:
        features: number of features, F.
        dropout: share of the tower's numbers that training leaves out.
    """

    edges: Tensor

    def __init__(self, features: int, dropout: float) -> None:
        super().__init__()
        self.read = nn.Linear(features * (1 + _EDGES[2]), WIDTH)
        self.features = features
        self.dropout = nn.Dropout(dropout)
        self.register_buffer("edges", torch.linspace(*_EDGES), persistent=False)

    def forward(self, features: Tensor | None, like: Tensor) -> Tensor:
        """Numbers of each sample, shape (B, WIDTH).

        Args:
            features: the features, shape (B, F); None means 0, their mean.
            like: any tensor of B rows; without features it gives their number and device.
        """
        if features is None:
            zeros = torch.zeros(len(like), self.features, device=like.device)
            return self(zeros, like)  # type: ignore[no-any-return]
        above = F.relu(features.unsqueeze(2) - self.edges).flatten(1)  # (B, 8 F)
        hidden: Tensor = self.dropout(F.gelu(self.read(torch.cat([features, above], dim=1))))
        return hidden


class ExaminationTower(nn.Module):
    """How much more of a yes a position brings, because shoppers look there.

    It learns from the position at which a sample was shown, and is left out of a ranking: what was
    not looked at is no proof of dislike.

    Args:
        classes: number of logits, C.
        columns: numbers of the logits that the tower is added to.
    """

    added: Tensor

    def __init__(self, classes: int, columns: Sequence[int]) -> None:
        super().__init__()
        self.columns = tuple(columns)
        self.read = nn.Linear(POSITIONS, 1, bias=False)
        nn.init.zeros_(self.read.weight)
        added = torch.zeros(classes)
        added[list(columns)] = 1.0
        self.register_buffer("added", added, persistent=False)

    def forward(self, positions: Tensor) -> Tensor:
        """What is added to the logits, shape (B, C): zeros where the position is 0, unknown.

        Args:
            positions: positions from 1, shape (B,), int64.
        """
        places = torch.arange(1, POSITIONS + 1, device=positions.device)
        one_hot = (positions.clamp_max(POSITIONS).unsqueeze(1) == places).float()  # (B, POSITIONS)
        seen: Tensor = self.read(one_hot)  # (B, 1)
        return seen * self.added
