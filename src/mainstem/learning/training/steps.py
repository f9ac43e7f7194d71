"""One training step, the optimizer with its learning rate, and what is watched of the steps."""

from collections.abc import Callable
from functools import partial
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mainstem.errors import NonFiniteError
from mainstem.learning.training.batch_loss import BatchLoss
from mainstem.learning.training.gradient import StepGradient
from mainstem.models import CrossEncoder
from mainstem.models.adapting import LORA
from mainstem.models.reading import Read
from mainstem.settings import Settings

__all__ = ["Rate", "Seen", "optimizer_of", "train_step"]

_FROM_SCRATCH, _PRETRAINED = 1e-3, 5e-5  # default learning rates
_NEW_PARTS: Final = 10.0  # how many times as fast parts learn that a given model came without
_RATES: Final = {"behaviour.": 5.0, "examination.": 20.0}
"""How many times as fast as other new parts some parts of a network learn."""
_RATES_BESIDE: Final = _RATES | {"bert.": 0.3}
"""The same where samples have features beside their words."""
_GIVEN: Final = ("model.", "bert.")
"""Prefixes of the parameters that a given model came with."""
_CLIPPED: Final = 1.0  # gradients longer than this are shortened to it
_LOOK: Final = 32  # steps after which losses are looked at, because a GPU is waited for


def train_step(
    network: nn.Module,
    read: Read,
    places: NDArray[np.int64],
    optimizer: torch.optim.Optimizer,
    loss_of: BatchLoss,
    gradient: StepGradient,
) -> tuple[Tensor, Tensor]:
    """Train a network on one batch.

    Args:
        network: the network, in train mode.
        read: the samples, encoded.
        places: places of the samples of the batch.
        optimizer: optimizer of the network's parameters.
        loss_of: loss of a batch of these samples.
        gradient: the passes that give the gradient of a batch.

    Returns:
        The loss of the batch and the length of its gradient, each one number on the device.
    """
    optimizer.zero_grad()
    loss = gradient(read, places, loss_of)
    return loss, gradient.precision.step(optimizer, network.parameters(), _CLIPPED)


class Seen:
    """Losses and gradient lengths of recent steps, looked at together now and then.

    Args:
        steps: number of steps before the first one that is seen.
    """

    def __init__(self, steps: int) -> None:
        self._checked, self._found = steps, list[Tensor]()

    def add(self, loss: Tensor, length: Tensor) -> None:
        """Add the loss of one step and the length of its gradient.

        Raises:
            NonFiniteError: as `check`, every 32 steps.
        """
        self._found.append(torch.stack([loss, length]))
        if len(self._found) == _LOOK:
            self.check()

    def check(self) -> None:
        """Look at the steps that were added since the last check.

        Raises:
            NonFiniteError: if a loss or a length is not finite; it names the first such step.
        """
        if not self._found:
            return
        finite = torch.isfinite(torch.stack(self._found)).tolist()  # waits for a GPU once
        for step, (loss, length) in enumerate(finite, self._checked + 1):
            if not (loss and length):
                msg = f"non-finite {'gradient' if loss else 'loss'} at step {step}"
                raise NonFiniteError(msg)
        self._checked += len(self._found)
        self._found.clear()


def optimizer_of(
    child: CrossEncoder, settings: Settings, steps: int, *, beside: bool
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    """AdamW over all trained parameters, and the schedule of its learning rate.

    The parts that a given model came without are new, so they learn 10 times as fast as it. The
    behaviour tower learns 5 times as fast as that, because words need small steps and
    features do not: without it, early rounds hardly learn from features. Beside features
    the words of a model from scratch learn .3 times as fast: otherwise they learn its samples by
    heart over the rounds. The examination tower learns 20 times as fast: its few weights are
    log-odds, and at the rate of a network's weights they would take tens of rounds to get there.
    LoRA's pairs are new parts too, and a head that is trained alone learns as one.

    Args:
        child: model to train; it is on its device.
        settings: settings for training.
        steps: number of steps.
        beside: whether the samples have features beside their words.
    """
    rate = Rate(child, settings, steps)
    rates_of = _RATES_BESIDE if beside else _RATES
    of_new = 1.0 if child.from_scratch else _NEW_PARTS
    is_head_alone = child.adapter is not None and child.adapter.kind == "head"
    groups: dict[float, list[nn.Parameter]] = {}
    for name, parameter in child.network.named_parameters():
        if not parameter.requires_grad:
            continue
        times = of_new * next((one for of, one in rates_of.items() if name.startswith(of)), 1.0)
        if not child.from_scratch and name.startswith(_GIVEN):
            times = of_new if LORA in name or is_head_alone else 1.0
        groups.setdefault(times, []).append(parameter)
    optimizer = torch.optim.AdamW(
        [{"params": parameters} for parameters in groups.values()],
        lr=1.0,
        weight_decay=settings.learning.weight_decay,
        fused=True,
    )
    rates: list[Callable[[int], float]] = [partial(_times, times, rate) for times in groups]
    return optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, rates)


def _times(times: float, rate: Callable[[int], float], step: int) -> float:
    return times * rate(step)


class Rate:
    """The learning rate after a number of steps: it rises over the warm-up and then falls evenly.

    Args:
        child: model to train; a given model has a lower rate than one from scratch.
        settings: settings for training.
        steps: number of steps.
    """

    def __init__(self, child: CrossEncoder, settings: Settings, steps: int) -> None:
        usual = _FROM_SCRATCH if child.from_scratch else _PRETRAINED
        self._top = settings.learning.learning_rate or usual
        self._warm = max(round(settings.learning.warm_up * steps), 1)
        self._steps = steps

    def __call__(self, step: int) -> float:
        """The learning rate of the step after `step` others."""
        if step < self._warm:
            return self._top * (step + 1) / self._warm
        return self._top * max(self._steps - step, 1) / max(self._steps - self._warm, 1)
