"""The numbers that a training step computes in: float32, or 16 bits where those are enough.

The weights, their mean, the optimizer and the losses stay in float32, and so does the loss on the
held-out samples. In float16 small gradients would become 0. So the loss is scaled up, and a step
whose gradients overflow is left out; this is done on a GPU alone.

Source:
    Micikevicius et al., Mixed Precision Training, ICLR 2018, https://arxiv.org/abs/1710.03740.
"""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Final

import torch
from torch import Tensor, nn

from mainstem.errors import SettingError
from mainstem.models.device import device_of
from mainstem.settings import Settings

__all__ = ["Precision", "check_precision"]

_TYPES: Final = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}


def check_precision(settings: Settings) -> None:
    """Refuse a precision that the device cannot train in.

    Raises:
        SettingError: if float16 is asked for without a GPU.
    """
    device = device_of(settings)
    if settings.learning.train_precision == "float16" and device.type != "cuda":
        msg = (
            "learning.train_precision float16 needs a GPU, because its gradients are scaled there; "
            f"got device {device.type!r}; set MAINSTEM_LEARNING__TRAIN_PRECISION to bfloat16 or "
            "float32"
        )
        raise SettingError(msg)


class Precision:
    """Passes and steps of a training in the precision of the settings.

    Args:
        settings: settings with the precision and the device.

    Raises:
        SettingError: as `check_precision`.
    """

    def __init__(self, settings: Settings) -> None:
        check_precision(settings)
        self._device = device_of(settings).type
        self._type = _TYPES[settings.learning.train_precision]
        is_scaled = self._type == torch.float16
        self._scaler = torch.amp.GradScaler(self._device) if is_scaled else None

    def lowered(self) -> AbstractContextManager[object]:
        """A context whose forward passes compute in the precision."""
        return torch.autocast(self._device, self._type, enabled=self._type != torch.float32)

    def scaled(self, loss: Tensor) -> Tensor:
        """A loss whose gradient is to be computed; in float16 it is scaled up."""
        return loss if self._scaler is None else self._scaler.scale(loss)

    def step(
        self, optimizer: torch.optim.Optimizer, weights: Iterable[nn.Parameter], most: float
    ) -> Tensor:
        """Shorten the gradient and take a step.

        Args:
            optimizer: optimizer of the weights.
            weights: the weights, with their gradients.
            most: length to which a longer gradient is shortened.

        Returns:
            The length of the gradient before; 0 for a step in float16 that is left out.
        """
        if self._scaler is None:
            length = torch.nn.utils.clip_grad_norm_(weights, most)
            optimizer.step()
            return length
        self._scaler.unscale_(optimizer)
        length = torch.nn.utils.clip_grad_norm_(weights, most)
        self._scaler.step(optimizer)
        self._scaler.update()
        return torch.where(length.isfinite(), length, 0.0)
