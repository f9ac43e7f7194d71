"""A network that `torch.compile` makes faster where it can, and that runs as it is where not.

A compiled network computes the same up to rounding. Compiling needs a compiler on the machine and
layers that torch can follow. Where it fails, one line says so, and the training goes on without.
"""

import logging
from collections.abc import Callable
from typing import Any, Final

import torch
from torch import Tensor, nn

from mainstem.models.tokenizer import Batch

__all__ = ["Compiled"]

_LOG: Final = logging.getLogger("mainstem.learn")


class Compiled:
    """Runs a network compiled, or as it is once compiling has failed.

    Args:
        network: the network, whose weights and mode are read at each call.
        compiler: like `torch.compile`.
        tell: receives one line if compiling fails.
    """

    def __init__(
        self,
        network: nn.Module,
        compiler: Callable[..., Any] = torch.compile,
        tell: Callable[[str], object] = _LOG.warning,
    ) -> None:
        self._network, self._tell = network, tell
        self._run: Callable[[Batch], Tensor] | None = None
        try:
            # batches differ in samples and tokens: each shape by itself would be compiled for long
            self._run = compiler(network, dynamic=True)
        except Exception as error:  # noqa: BLE001 - a compiler may fail in any way
            self._fall_back(error)

    def __call__(self, batch: Batch) -> Tensor:
        """Logits of a batch, shape (B, W)."""
        if self._run is not None:
            try:
                return self._run(batch)
            except torch.OutOfMemoryError:
                raise
            except Exception as error:  # noqa: BLE001 - compiling happens in the first call
                # subtle: an error of the network itself comes again below
                self._fall_back(error)
        logits: Tensor = self._network(batch)
        return logits

    def _fall_back(self, error: Exception) -> None:
        self._run = None
        reason = (str(error).splitlines() or [""])[0]
        self._tell(
            f"the network cannot be compiled ({type(error).__name__}: {reason}); "
            "training goes on without; MAINSTEM_LEARNING__COMPILE=false is silent"
        )
