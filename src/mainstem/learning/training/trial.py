"""Find out once whether torch can compile a network for training on this machine."""

import copy
import logging
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from mainstem.errors import ModelError
from mainstem.learning.training.compiling import Compiled
from mainstem.learning.training.precision import Precision
from mainstem.models import ActiveVersion, CrossEncoder
from mainstem.models.adapting import freeze
from mainstem.models.device import device_of
from mainstem.models.tokenizer import Batch
from mainstem.scoring.kinds import stand_in
from mainstem.settings import Settings

__all__ = ["compiles", "with_compiling"]

_LOG: Final = logging.getLogger("mainstem.learn")
_BATCHES: Final = (8, 5)  # pairs of each batch: the sizes differ, as those of a training do


def compiles(
    encoder: CrossEncoder,
    settings: Settings,
    *,
    compiler: Callable[..., Any] = torch.compile,
    tell: Callable[[str], object] = _LOG.warning,
) -> bool:
    """Whether two batches pass through the compiled network of a model, forward and backward.

    It takes as long as compiling does, and changes neither the model nor the state of randomness.

    Args:
        encoder: the model that is to be trained.
        settings: settings with the device and the precision of training.
        compiler: like `torch.compile`.
        tell: receives one line if it fails.

    Raises:
        Exception: as the network raises it, if it fails without a compiler too.
    """
    device = device_of(settings)
    read = ActiveVersion(encoder, settings).read(stand_in(encoder, settings))
    network = copy.deepcopy(encoder.network)
    freeze(network)
    network.to(device).train()
    precision = Precision(settings)

    def passes(run: Callable[[Batch], Tensor]) -> None:
        begin = 0
        for size in _BATCHES:
            batch = read.batch(np.arange(begin, begin + size), examined=True)
            with precision.lowered():
                logits = run(batch)
            logits.float().sum().backward()  # type: ignore[no-untyped-call]
            begin += size

    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        try:
            passes(Compiled(network, compiler, _refuse))
        except torch.OutOfMemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - a compiler may fail in any way
            passes(network)  # an error of the network itself is raised here
            reason = str(error) if isinstance(error, ModelError) else type(error).__name__
            tell(f"{reason.partition(';')[0]}; rounds train without")
            return False
    return True


def _refuse(told: str) -> None:
    raise ModelError(told)


def with_compiling(
    settings: Settings,
    encoder: Callable[[], CrossEncoder],
    *,
    known: bool | None = None,
    compiler: Callable[..., Any] = torch.compile,
    tell: Callable[[str], object] = _LOG.warning,
) -> Settings:
    """Settings that ask for compiling only where it works, as it is known or found out.

    Args:
        settings: settings that may ask for it.
        encoder: gives the model that is to be trained; called only if it has to be found out.
        known: whether it worked when it was found out; None if it never was.
        compiler, tell: see `compiles`.
    """
    if not settings.learning.compile:
        return settings
    if known is None:
        known = compiles(encoder(), settings, compiler=compiler, tell=tell)
    return settings.but({"learning.compile": known})
