"""Whether the first dimension of what a layer gave is the batch: looked at once for each layer, by one more backward pass.

If it is, then the losses of some samples reach their own rows and no others. A layer that reads time first (also where a text
has as many tokens as the batch has samples), a table that the samples share, samples that were sorted inside the model, a
batch norm that is training and a loss that compares samples all break this.
"""

from collections.abc import Iterable

import torch
from torch import Tensor

__all__ = ["chosen", "verdicts"]


def chosen(samples: int) -> Tensor:
    """About half of the samples, never all and never none, on the CPU.

    Example:
        >>> [int(chosen(samples).sum()) for samples in (2, 3, 4, 9)]
        [1, 2, 2, 5]
    """
    order = torch.randperm(samples, generator=torch.Generator().manual_seed(samples))
    return order < (samples + 1) // 2


@torch.no_grad()
def verdicts(gradients: Iterable[Tensor | None], of: Tensor) -> list[bool | None]:
    """Whether each gradient, of the losses of some samples, stays in their rows; None where nothing came back to tell by.

    Args:
        gradients: at what each layer gave, shape (B, ...).
        of: which samples' losses, shape (B,), bool.

    Example:
        >>> of = torch.tensor([True, False])
        >>> verdicts([torch.tensor([[1.0], [0.0]]), torch.ones(2, 2), torch.zeros(2, 1), None], of)
        [True, False, None, None]
    """
    found = list(gradients)
    rows = [_has_any(one, of) for one in found if one is not None]
    told = iter(torch.stack(rows).tolist() if rows else [])  # subtle: one wait for the device, not one for each layer
    return [None if one is None else _verdict(*next(told)) for one in found]


def _has_any(gradient: Tensor, of: Tensor) -> Tensor:
    """Whether anything is in rows of the samples, and in others; NaN is nothing that can be told by."""
    rows = gradient.nan_to_num(0.0).flatten(1).abs().amax(1) > 0
    where = of.to(rows.device)
    return torch.stack([(rows & where).any(), (rows & ~where).any()])


def _verdict(own: bool, others: bool) -> bool | None:  # noqa: FBT001
    return None if not own and not others else not others
