"""The gradient of a training step: of one plain pass, and of what the options of training add."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mainstem.learning.training.adversarial import Adversary
from mainstem.learning.training.batch_loss import BatchLoss
from mainstem.learning.training.compiling import Compiled
from mainstem.learning.training.pieces import Piece
from mainstem.learning.training.precision import Precision
from mainstem.learning.training.ranks import ALONE, Ranks
from mainstem.models.reading import Read
from mainstem.models.tokenizer import Batch
from mainstem.settings import Settings

__all__ = ["StepGradient"]


class StepGradient:
    """Adds the gradient of a batch's loss to that of the parameters of a network.

    Args:
        network: the network, in train mode when it is called.
        settings: settings for training.
        compiler: like `torch.compile`; called only if the settings ask for it.
        ranks: which of the processes that train together this one is.

    Attributes:
        precision: the numbers that its passes compute in, which takes the steps too.

    Raises:
        SettingError: if the device cannot train in the precision asked for.
        ModelError: if words shall be moved and the network has no word embedding.
    """

    def __init__(
        self,
        network: nn.Module,
        settings: Settings,
        compiler: Callable[..., Any] = torch.compile,
        ranks: Ranks = ALONE,
    ) -> None:
        learning = settings.learning
        self.precision = Precision(settings)
        self._network, self._ranks = network, ranks
        self._run = Compiled(network, compiler) if learning.compile else network
        self._pieces, self._r_drop = learning.accumulate, learning.r_drop
        is_moved = learning.adversarial != "none"
        self._adversary = Adversary(network, learning) if is_moved else None

    @property
    def passes(self) -> int:
        """How many plain passes, forward and backward, a sample costs in a step.

        A pass that only finds where words are moved to counts as a plain one; it costs less.
        """
        moved = self._adversary.passes if self._adversary else 0
        return (2 if self._r_drop else 1) + moved

    def __call__(self, read: Read, places: NDArray[np.int64], loss_of: BatchLoss) -> Tensor:
        """Add the gradient of a batch, piece by piece; in float16 it is scaled up.

        Several processes each read their own pieces, and all get the gradient of the whole batch.

        Args:
            read: the samples, encoded.
            places: places of the samples of the batch.
            loss_of: loss of a batch of these samples.

        Returns:
            The loss of the batch, of its samples as they are, without a graph, on the device.
        """
        pieces = self._ranks.own(loss_of.pieces(places, self._pieces * self._ranks.count))
        losses = [self._of(read, piece, loss_of) for piece in pieces]
        return self._ranks.summed(losses, self._network.parameters())

    def _of(self, read: Read, piece: Piece, loss_of: BatchLoss) -> Tensor:
        batch = read.batch(piece.places, examined=True)
        if self._adversary is None:
            return self._add(self._loss(batch, piece, loss_of))
        with self._adversary.watching() as words:
            loss = self._add(self._loss(batch, piece, loss_of))
            plain = partial(self._plain, batch, piece, loss_of)
            self._adversary.move(words, lambda: self.precision.scaled(plain()))
            self._add(plain())
        return loss

    def _add(self, loss: Tensor) -> Tensor:
        self.precision.scaled(loss).backward()  # type: ignore[no-untyped-call]
        return loss.detach()

    def _loss(self, batch: Batch, piece: Piece, loss_of: BatchLoss) -> Tensor:
        """The loss of a piece as its samples are, of one pass or of two that shall agree."""
        first = self._logits(batch)
        loss = loss_of(first, *piece)
        if not self._r_drop:
            return loss
        second = self._logits(batch)
        both = (loss + loss_of(second, *piece)) / 2
        return both + self._r_drop * loss_of.apart(first, second, piece)

    def _plain(self, batch: Batch, piece: Piece, loss_of: BatchLoss) -> Tensor:
        return loss_of(self._logits(batch), *piece)

    def _logits(self, batch: Batch) -> Tensor:
        with self.precision.lowered():
            logits: Tensor = self._run(batch)
        return logits
