"""The gradient of a training step: of one plain pass, and of what the options of training add."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mainstem.learning.training.batch_loss import BatchLoss
from mainstem.learning.training.pieces import Piece
from mainstem.models.reading import Read
from mainstem.settings import Settings

__all__ = ["StepGradient"]


class StepGradient:
    """Adds the gradient of a batch's loss to that of the parameters of a network.

    Args:
        network: the network, in train mode when it is called.
        settings: settings for training.
    """

    def __init__(self, network: nn.Module, settings: Settings) -> None:
        self._network, self._pieces = network, settings.learning.accumulate

    @property
    def passes(self) -> float:
        """How many plain passes, forward and backward, a sample costs in a step."""
        return 1.0

    def __call__(self, read: Read, places: NDArray[np.int64], loss_of: BatchLoss) -> Tensor:
        """Add the gradient of a batch, piece by piece.

        Args:
            read: the samples, encoded.
            places: places of the samples of the batch.
            loss_of: loss of a batch of these samples.

        Returns:
            The loss of the batch, without a graph, on the device.
        """
        pieces = loss_of.pieces(places, self._pieces)
        return torch.stack([self._of(read, piece, loss_of) for piece in pieces]).sum()

    def _of(self, read: Read, piece: Piece, loss_of: BatchLoss) -> Tensor:
        logits = self._network(read.batch(piece.places, examined=True))
        loss = loss_of(logits, *piece)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach()
