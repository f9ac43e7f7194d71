"""A network that `torch.compile` makes faster, and what becomes of it where compiling fails.

A compiled network computes the same up to rounding. Compiling needs a compiler on the machine and
layers that torch can follow. So whether a network is compiled is found out once, by `compiles`,
before anything is trained, and a home records it. A training whose first pass cannot be compiled
fails, because it would give other weights than it gives elsewhere. A later pass, of batches of
another shape, goes on without, and one line says so.
"""

import logging
from collections.abc import Callable
from typing import Any, Final

import torch
from torch import Tensor, nn

from mainstem.errors import ModelError
from mainstem.models.tokenizer import Batch

__all__ = ["Compiled"]

_LOG: Final = logging.getLogger("mainstem.learn")


class Compiled:
    """Runs a network compiled; or as it is, once a pass after the first cannot be compiled.

    Args:
        network: the network, whose weights and mode are read at each call.
        compiler: like `torch.compile`.
        tell: receives one line if compiling fails after the first pass.

    Raises:
        ModelError: if the network cannot be compiled; a call raises it too.
    """

    def __init__(
        self,
        network: nn.Module,
        compiler: Callable[..., Any] = torch.compile,
        tell: Callable[[str], object] = _LOG.warning,
    ) -> None:
        self._network, self._tell, self._has_run = network, tell, False
        # subtle: torch goes on with what it compiled for earlier networks of this process, and a
        # training must not depend on those, because a replay that is resumed has not had them
        torch.compiler.reset()
        self._run: Callable[[Batch], Tensor] | None
        try:
            # batches differ in samples and tokens: each shape by itself would be compiled for long
            self._run = compiler(network, dynamic=True)
        except Exception as error:
            raise _refused(error) from error

    def __call__(self, batch: Batch) -> Tensor:
        """Logits of a batch, shape (B, W)."""
        if self._run is not None:
            try:
                logits = self._run(batch)
            except torch.OutOfMemoryError:
                raise
            except Exception as error:  # compiling happens in the first call
                # subtle: an error of the network itself comes again here
                logits = self._network(batch)
                if not self._has_run:
                    raise _refused(error) from error
                self._go_on(error)
            self._has_run = True
            return logits
        plain: Tensor = self._network(batch)
        return plain

    def _go_on(self, error: Exception) -> None:
        self._run = None
        self._tell(
            f"the network can no longer be compiled ({_reason(error)}); this training goes on "
            "without"
        )


def _refused(error: Exception) -> ModelError:
    return ModelError(
        f"the network cannot be compiled here ({_reason(error)}); train where it can, or with "
        "MAINSTEM_LEARNING__COMPILE=false, for which a home has to begin again, --from-start"
    )


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
