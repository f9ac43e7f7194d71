"""The mean of weights over training steps is the one that torch computes, without its start."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from mainstem.learning.training.averaging import MeanWeights


def test_after_many_steps_the_mean_is_that_of_torch() -> None:
    """Once the first steps are forgotten, torch's averaged model has the same weights."""
    network, random = nn.Linear(3, 2), np.random.default_rng(0)
    mean = MeanWeights(network, decay=0.9)
    peer = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(0.9))
    for _ in range(400):
        for weight in network.parameters():
            drawn = torch.from_numpy(random.normal(size=weight.shape))
            nn.init.zeros_(weight).data.add_(drawn)
        mean.add(network)
        peer.update_parameters(network)
    for ours, theirs in zip(mean.network.parameters(), peer.module.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize(("decay", "steps"), [(0.0, 5), (0.99, 1)])
def test_the_weights_before_training_do_not_stay(decay: float, steps: int) -> None:
    """Without a decay, and after a first step, the mean is the last weights exactly."""
    network = nn.Linear(1, 1)
    mean = MeanWeights(network, decay)
    for step in range(steps):
        nn.init.constant_(network.weight, 3.0 + step)
        mean.add(network)
    assert mean.network.weight.item() == 2.0 + steps


class Pair(nn.Module):
    """A layer with one of LoRA's pairs, named as peft names them."""

    def __init__(self) -> None:
        super().__init__()
        self.lora_A = nn.ModuleDict({"default": nn.Linear(5, 2, bias=False)})
        self.lora_B = nn.ModuleDict({"default": nn.Linear(2, 4, bias=False)})

    @property
    def weights(self) -> tuple[nn.Parameter, nn.Parameter]:
        """A and B."""
        return self.lora_A["default"].weight, self.lora_B["default"].weight

    def product(self) -> torch.Tensor:
        """B A, which is added to the layer's weight."""
        first, second = self.weights
        return (second @ first).detach()


@pytest.mark.parametrize("moving", ["A", "B", "both"])
def test_pairs_are_averaged_merged(moving: str) -> None:
    """Products are the mean ones if one of a pair moves; else the mean B would be further."""
    network = nn.ModuleDict({"layer": Pair()})
    layer, draw = network["layer"], torch.Generator().manual_seed(0)
    assert isinstance(layer, Pair)
    merged = nn.Linear(5, 4, bias=False)
    mean = MeanWeights(network, decay=0.9)
    peer = AveragedModel(merged, multi_avg_fn=get_ema_multi_avg_fn(0.9))
    naive = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(0.9))
    for _ in range(400):
        for name, weight in zip("AB", layer.weights, strict=True):
            if moving in {name, "both"}:
                weight.data += 0.3 * torch.randn(weight.shape, generator=draw)
        merged.weight.data = layer.product()
        mean.add(network)
        peer.update_parameters(merged)
        naive.update_parameters(network)
    mean.settle()
    ours, plain = mean.network["layer"], naive.module["layer"]
    assert isinstance(ours, Pair)
    off, off_plain = ((one.product() - peer.module.weight).norm() for one in (ours, plain))
    assert off < (0.9 * off_plain if moving == "both" else 1e-4 * peer.module.weight.norm())


def test_without_a_decay_pairs_are_those_of_the_last_step() -> None:
    """A pair whose mean is its last weights keeps both of them."""
    network = nn.ModuleDict({"layer": Pair()})
    mean = MeanWeights(network, decay=0.0)
    mean.add(network)
    mean.settle()
    for ours, theirs in zip(mean.network.parameters(), network.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)
