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
