"""The mean of a network's weights over the last training steps.

Steps on small batches jump around the weights that they tend to. Their mean lies closer to those,
so a version learns the same with fewer passes, and differs less from seed to seed.

LoRA's pairs are averaged merged: the mean of the products B A is what the mean of all weights would
have, and the product of the mean B and the mean A is not. A pair cannot hold it exactly if both
move, so that the mean has the B whose product with the mean A is nearest. It is exact if only one
of them moves, and never further than the mean B.

Source:
    Polyak and Juditsky, Acceleration of Stochastic Approximation by Averaging, SIAM Journal on
    Control and Optimization 1992; Morales-Brotons, Vogels, Hendrikx, Exponential Moving Average of
    Weights in Deep Learning, TMLR 2024, https://arxiv.org/abs/2411.18704.
"""

import copy
from typing import Final, Generic, TypeVar

import torch
from torch import nn

from mainstem.models.adapting import pairs_of

__all__ = ["MeanWeights"]

_SHORT: Final = 10  # steps after which the mean reaches back about as far as the first step
_N = TypeVar("_N", bound=nn.Module)


class MeanWeights(Generic[_N]):
    """An exponential moving mean of a network's weights.

    Early on the mean reaches back over a share of the steps so far, so that the weights before
    training do not stay in it.

    Args:
        network: the network that is trained.
        decay: how much of the mean each step keeps, in [0, 1): .99 reaches back over some 100
            steps; 0 takes the weights of the last step.

    Attributes:
        network: a copy with the mean weights; of LoRA's pairs, those of the last `settle`.

    Example:
        >>> trained = nn.Linear(1, 1, bias=False)
        >>> mean = MeanWeights(trained, decay=0.5)
        >>> for weight in (1.0, 2.0, 3.0):
        ...     _ = nn.init.constant_(trained.weight, weight)
        ...     mean.add(trained)
        >>> round(mean.network.weight.item(), 3)
        2.818
    """

    def __init__(self, network: _N, decay: float) -> None:
        self.network = copy.deepcopy(network)
        self._decay, self._steps = decay, 0
        self._merged = [(second @ first).detach() for first, second in pairs_of(network)]

    @torch.no_grad()
    def add(self, network: nn.Module) -> None:
        """Add the weights after one more step."""
        kept = min(self._decay, self._steps / (_SHORT + self._steps))
        self._steps += 1
        pairs = zip(self.network.parameters(), network.parameters(), strict=True)
        for mean, weight in pairs:
            if weight.requires_grad:
                mean.lerp_(weight, 1 - kept)
        for product, (first, second) in zip(self._merged, pairs_of(network), strict=True):
            product.lerp_(second @ first, 1 - kept)

    @torch.no_grad()
    def settle(self) -> None:
        """Give each of LoRA's pairs the B whose product with A is nearest to the mean product.

        It is to be called before the mean weights are used.
        """
        for product, (first, second) in zip(self._merged, pairs_of(self.network), strict=True):
            second.copy_(product.double() @ torch.linalg.pinv(first.double()))
