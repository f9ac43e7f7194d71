"""Responses of a model that is very sure of its answers, whose gradients are all but 0."""

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from mainstem.responses import Probe


@pytest.mark.parametrize("factor", [30.0, 60.0, 200.0])
def test_samples_that_a_model_is_sure_of_are_no_fault_of_the_batch(factor: float) -> None:
    """Gradients too short for float32 are norms near 0, and the others are those of autograd."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 2))
    with torch.no_grad():
        model[2].weight.mul_(factor)
    x = torch.randn(120, 8)
    targets = model(x).argmax(1)
    found = Probe(model).responses(
        lambda: model(x),
        targets,
        loss=lambda logits, right: cross_entropy(logits, right, reduction="none"),
    )
    for place in range(0, 120, 10):
        loss = cross_entropy(model(x[place : place + 1]), targets[place : place + 1])
        parts = torch.autograd.grad(loss, list(model.parameters()))
        true = float(sum(part.square().sum() for part in parts) ** 0.5)
        assert pytest.approx(true, rel=1e-4, abs=1e-15) == float(found.norm[place])
