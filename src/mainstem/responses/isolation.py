"""Whether the first dimension of what a layer gave is the batch: looked at once, by a few more backward passes.

If it is, then a loss that counts 2^k times as much makes what comes back to its own row 2^k times as large, and no other. A
layer that reads time first (also where a text has as many tokens as the batch has samples), a table that the samples share,
samples that are sorted inside the model, a batch norm that is training and a loss that compares samples all break this.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import torch
from torch import Tensor, nn

from mainstem.errors import BatchError

__all__ = ["batch_norms", "check_apart", "factors", "lengths", "verdicts"]

_BASE: Final = 9  # factors from 2^-4 to 2^4: a float is multiplied by them without rounding, and in half precision too
_MAY_BE_OFF: Final = 0.1  # of a length: two factors differ by at least 2


def factors(samples: int) -> list[Tensor]:
    """Factors of the losses for each pass, shape (B,): all 1 at first, and then so that each two samples differ once.

    Example:
        >>> [one.tolist() for one in factors(3)]
        [[1.0, 1.0, 1.0], [0.0625, 0.125, 0.25]]
        >>> len(factors(9)), len(factors(10)), len(factors(81)), len(factors(82))
        (2, 3, 3, 4)
    """
    left, found = torch.arange(samples), [torch.ones(samples)]
    while not len(found) > 1 or left.any():
        found.append(2.0 ** (left % _BASE - _BASE // 2))
        left = left // _BASE
    return found


@torch.no_grad()
def lengths(gradient: Tensor) -> Tensor:
    """Length of each row, shape (B,)."""
    found: Tensor = torch.linalg.vector_norm(gradient.float().flatten(1), dim=1)
    return found


@torch.no_grad()
def verdicts(passes: Sequence[Sequence[Tensor]], by: Sequence[Tensor]) -> list[bool | None]:
    """Whether each layer's rows grow with their own losses; None where nothing came back to tell by.

    Args:
        passes: of each pass, the lengths of what came back to each layer, shape (B,).
        by: the factors of each pass, the first all 1.

    Example:
        >>> by = factors(2)
        >>> right, mixed = torch.tensor([4.0, 4.0]), torch.tensor([0.25, 0.5])
        >>> verdicts([[right, right, 0 * right], [mixed, mixed.flip(0), 0 * right]], by)
        [True, False, None]
    """
    told = []
    for first, *others in zip(*passes, strict=True):
        off = [
            (other - first * factor.to(first.device)).abs()
            > _MAY_BE_OFF * first * factor.to(first.device)  # NaN: no
            for other, factor in zip(others, by[1:], strict=True)
        ]
        told.append(torch.stack([(first > 0).any(), torch.stack(off).any()]))
    found = (
        torch.stack(told).tolist() if told else []
    )  # subtle: one wait for the device, not one for each layer
    return [False if is_off else True if has_any else None for has_any, is_off in found]


def batch_norms(model: nn.Module) -> dict[str, Any]:
    """The layers that may normalise a sample by what else is in the batch, by name."""
    kinds = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)
    return {name: layer for name, layer in model.named_modules() if isinstance(layer, kinds)}


def check_apart(layers: Mapping[str, Any]) -> None:
    """Raise if one of them normalises by the batch as it is now: no sample has a gradient of its own then.

    Raises:
        BatchError: if so.

    Example:
        >>> check_apart({"norm": nn.BatchNorm1d(2).eval()})
        >>> check_apart({"norm": nn.BatchNorm1d(2)})
        Traceback (most recent call last):
        mainstem.errors.BatchError: norm, a BatchNorm1d, normalises each sample by the whole batch; put it in eval mode
    """
    for name, layer in layers.items():
        what = (
            "put it in eval mode"
            if layer.running_mean is not None
            else "let it track running statistics"
        )
        if layer.training or layer.running_mean is None:
            msg = f"{name or 'the model'}, a {type(layer).__name__}, normalises each sample by the whole batch; {what}"
            raise BatchError(msg)
