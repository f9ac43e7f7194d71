"""The processes that train one model together: each takes its part of every training step.

All of them begin with the same weights, and go through the same batches in the same order. Of each
batch a process reads the pieces that are its own. Their losses are divided by what the whole batch
holds (see `pieces`), so the sum over all processes is the loss of the batch, and the sum of their
gradients its gradient. Each process shortens that sum and takes the step by itself, so that all
keep the same weights. A process without a piece adds nothing, and takes part in the sum like all
others. Sums are all that processes tell each other.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import torch
from torch import Tensor, nn

from mainstem.ids import number_of
from mainstem.learning.training.pieces import Piece

__all__ = ["ALONE", "Ranks"]

_CPU: Final = torch.device("cpu")


class Ranks:
    """One process of those that train together, as it sees itself.

    Args:
        number: its number, from 0 on. Process 0 leads: it alone measures, averages weights, and
            hands back the version.
        count: how many processes there are.
        add: function that adds up a tensor over all processes, in place; each must call it as often
            as the others, with tensors of the same shape.
        device: where what is added up lies.

    Example:
        >>> alone = Ranks()
        >>> alone.leads, alone.told(0.5)
        (True, 0.5)
    """

    def __init__(
        self,
        number: int = 0,
        count: int = 1,
        add: Callable[[Tensor], object] = lambda tensor: tensor,
        device: torch.device = _CPU,
    ) -> None:
        self.number, self.count = number, count
        self._add, self._device = add, device

    @property
    def leads(self) -> bool:
        """Whether this is the process that measures and hands back the version."""
        return self.number == 0

    def seed_of(self, seed: int) -> int:
        """The seed of this process's dropout: process 0 has the one given, others another each."""
        return seed if self.leads else number_of("rank", seed, self.number)

    def own(self, pieces: Sequence[Piece]) -> Sequence[Piece]:
        """The pieces of a batch that this process reads; all processes together read each once."""
        return pieces[self.number :: self.count]

    def summed(self, losses: Sequence[Tensor], weights: Iterable[nn.Parameter]) -> Tensor:
        """Add up a step's losses and gradients over all processes.

        Args:
            losses: losses of this process's pieces, each one number; there may be none.
            weights: the weights. Their gradients become those of the whole batch. A weight that has
                none in any process gets none, so that the step leaves it alone.

        Returns:
            The loss of the whole batch, one number.
        """
        if self.count == 1:
            return torch.stack(list(losses)).sum()
        trained = [one for one in weights if one.requires_grad]
        parts = [
            torch.zeros_like(one, dtype=torch.float32) if one.grad is None else one.grad.float()
            for one in trained
        ]
        has = torch.tensor([float(one.grad is not None) for one in trained], device=self._device)
        loss = sum(losses, start=torch.zeros((), device=self._device))
        flat = torch.cat([loss.view(1), has, *(part.flatten() for part in parts)])
        self._add(flat)
        found = torch.split(flat[1 + len(trained) :], [one.numel() for one in trained])
        for one, is_there, part in zip(
            trained, flat[1 : 1 + len(trained)].tolist(), found, strict=True
        ):
            one.grad = part.view(one.shape).to(one.dtype) if is_there else None
        return flat[0]

    def told(self, number: float | None) -> float | None:
        """What process 0 gives here, in every process.

        Args:
            number: a number, or None; of other processes it does not count.
        """
        if self.count == 1:
            return number
        given = number if self.leads else None
        pair = [float(given is not None), 0.0 if given is None else given]
        both = torch.tensor(pair, dtype=torch.float64, device=self._device)
        self._add(both)
        is_there, found = both.tolist()
        return float(found) if is_there else None


ALONE: Final = Ranks()
"""A process that trains alone."""
